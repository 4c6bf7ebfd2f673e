#include "registrar/service_tracker.hpp"

#include <algorithm>

namespace bevmesh::registrar {
namespace {

/// A TTL of 24 h is refreshed long before it ends. With unchanged status and output that is no
/// write to Raft (Consul's agent/local/state.go, UpdateCheck).
constexpr auto refresh_reports = std::chrono::hours(6);
constexpr std::string_view lifting = "lift";

std::string_view without_zone(std::string_view rfc3339) {
    // The engine trims zeros: "02.1Z" and "02.12Z" compare rightly only without the Z.
    if (rfc3339.ends_with('Z')) rfc3339.remove_suffix(1);
    return rfc3339;
}

std::string output_of(wanted_check const& check, registration const& wanted,
                      consul::status status) {
    if (check.by == reporter::docker_health) {
        switch (wanted.health) {
            case docker::health::healthy:
                return "Docker says healthy";
            case docker::health::starting:
                return "Docker says starting";
            case docker::health::unhealthy:
                return "Docker says unhealthy";
            case docker::health::none:
                return "Docker runs no health check";
        }
    }
    return status == consul::status::passing ? "bevmesh: it answers as it should"
                                             : "bevmesh: it does not answer as it should";
}

}  // namespace

bool service_tracker::claim(std::string const& by, registration const& wanted) {
    auto const it = claims_.find(by);
    if (it != claims_.end() && it->second == wanted) return false;
    claims_.insert_or_assign(by, wanted);
    return true;
}

registration const* service_tracker::wanted() const {
    auto const it = std::ranges::max_element(claims_, [](auto const& a, auto const& b) {
        return without_zone(a.second.started_at) < without_zone(b.second.started_at);
    });
    return it == claims_.end() ? nullptr : &it->second;
}

void service_tracker::on_look_up_failed(instant retry_at) {
    looking_up_ = false;
    gate_.clear();
    not_before_ = retry_at;
    failure_ = "Consul could not be asked for the entry";
    ++failures_;
}

void service_tracker::on_agent_lost() {
    fresh_ = false;
    unproven_ = true;
    auto const* r = wanted();
    if (!r) return;
    // What passed before the loss proves nothing now; the states that we report ourselves stay.
    for (auto const& check : r->checks)
        if (auto const p = probes_.find(check.definition.id);
            p != probes_.end() && check.by == reporter::consul)
            p->second.passing.reset();
}

void service_tracker::on_write_done(action const& what, instant now) {
    failures_ = 0;
    not_before_.reset();
    complaint_.clear();
    if (auto const* r = std::get_if<register_service>(&what)) {
        for (auto const& c : r->definition.checks)
            if (c.ttl) reported_at_[c.id] = now;
        gate_.clear();
    } else if (auto const* report = std::get_if<report_check>(&what)) {
        reported_at_[report->check_id] = now;
    } else if (std::holds_alternative<set_maintenance>(what)) {
        gate_.clear();
    }
}

void service_tracker::on_write_failed(instant retry_at, std::string detail) {
    not_before_ = retry_at;
    failure_ = std::move(detail);
    ++failures_;
}

std::optional<instant> service_tracker::settle(surroundings const& s, std::vector<action>& out) {
    wake_.reset();
    if (!writing_ && (!not_before_ || s.now >= *not_before_)) {
        not_before_.reset();
        if (auto const* r = wanted())
            bring(*r, s, out);
        else
            remove(s, out);
    } else if (!writing_) {
        wake_ = not_before_;
    }
    fresh_ = false;  // what was looked up is as old as this call
    return wake_;
}

bool service_tracker::busy() const {
    return looking_up_ || writing_.has_value() || any_probe_under_way();
}

bool service_tracker::at_rest() const {
    return !writing_ && !looking_up_ && gate_.empty() && !not_before_;
}

std::pair<std::string, std::string> service_tracker::phase(observed const& agent) const {
    if (not_before_) return {"failing", failure_};
    if (!complaint_.empty()) return {"refused", complaint_};
    if (!wanted()) return {"removing", ""};
    if (gate_.empty() && !writing_ && agent.services.contains(id_)) return {"announced", ""};
    for (auto const& [check, p] : probes_)
        if (p.passing == false) return {"announcing", check + ": " + p.detail};
    return {"announcing", ""};
}

void service_tracker::remove(surroundings const& s, std::vector<action>& out) {
    gate_.clear();
    probes_.clear();
    probe_at_.reset();
    auto const entry = s.agent.services.find(id_);
    if (entry == s.agent.services.end() || !s.may_remove) return;
    if (owner_of(entry->second, s.instance) != owner::ours) return;
    if (look_first(out)) write(deregister_service{id_, "no container wants it"}, out);
}

void service_tracker::bring(registration const& r, surroundings const& s,
                            std::vector<action>& out) {
    if (auto const entry = s.agent.services.find(id_); entry != s.agent.services.end()) {
        auto const whose = owner_of(entry->second, s.instance);
        if (whose == owner::foreign ||
            (whose == owner::left_behind && !may_adopt(entry->second, r))) {
            gate_.clear();
            return complain("foreign-service",
                            "Consul has a service " + id_ + " of another owner; " +
                                (r.container_name.empty() ? "this node's service"
                                                          : "container " + r.container_name) +
                                " is not registered",
                            out);
        }
    }
    auto const lacks = difference(r, s.agent, s.instance);
    if (lacks.empty()) {
        complaint_.clear();
        return keep(r, s, out);
    }
    if (pass_gate(r, hash_of(r), s, out) != gate::shut && look_first(out))
        write_registration(r, lacks, false, s, out);
}

void service_tracker::keep(registration const& r, surroundings const& s, std::vector<action>& out) {
    if (gate_ != lifting) gate_.clear();
    if (keep_maintenance(r, s, out) || keep_reports(r, s, out)) return;
    probe_for_reports(r, s, out);
    if (gate_.empty()) probe_for_rebirth(r, s, out);
}

bool service_tracker::keep_maintenance(registration const& r, surroundings const& s,
                                       std::vector<action>& out) {
    auto const reason = maintenance_reason(r, s.maintenance);
    auto const check = s.agent.checks.find(maintenance_check_id(id_));
    bool const present = check != s.agent.checks.end();
    bool const ours = present && check->second.notes.starts_with(maintenance_mark);
    if (!reason.empty()) {
        gate_.clear();
        // Another reason is left as it is: Consul keeps the notes of the first (agent.go,
        // EnableServiceMaintenance), and off and on again would show the service for a moment.
        if (present) return false;
        if (look_first(out)) write(set_maintenance{id_, true, reason}, out);
        return true;
    }
    if (!ours) {
        gate_.clear();
        return false;
    }
    // A container that comes back from pause or restart is let in when it answers, as a new one is.
    if (pass_gate(r, std::string(lifting), s, out) != gate::shut && look_first(out))
        write(set_maintenance{id_, false, ""}, out);
    return true;
}

bool service_tracker::keep_reports(registration const& r, surroundings const& s,
                                   std::vector<action>& out) {
    for (auto const& check : r.checks) {
        if (check.by != reporter::docker_health && check.by != reporter::daemon) continue;
        auto const& id = check.definition.id;
        if (check.by == reporter::daemon && !probes_.contains(id)) continue;  // not yet probed
        if (check.by == reporter::daemon && !probes_.at(id).passing) continue;
        auto const status = state_of(check, r);
        auto const have = s.agent.checks.find(id);
        // After a restart of ours the age of the last report is unknown; a status that has run out
        // shows itself as a difference.
        auto const due = reported_at_.try_emplace(id, s.now).first->second + refresh_reports;
        if (have != s.agent.checks.end() && have->second.status == status && s.now < due) {
            wake(due);
            continue;
        }
        write(report_check{id_, id, status, output_of(check, r, status)}, out);
        return true;
    }
    return false;
}

bool service_tracker::look_first(std::vector<action>& out) {
    if (fresh_) return true;
    if (!looking_up_) {
        looking_up_ = true;
        out.emplace_back(look_up{id_});
    }
    return false;
}

void service_tracker::write_registration(registration const& r, std::string why, bool reborn,
                                         surroundings const& s, std::vector<action>& out) {
    birth_states states;
    std::vector<std::string> renewed;
    unproven_ = false;
    for (auto const& check : r.checks) {
        auto const state = state_of(check, r);
        states[check.definition.id] = state;
        if (check.by != reporter::consul || !probed_for_birth(check)) continue;
        if (state != consul::status::passing) unproven_ = true;
        if (reborn) renewed.push_back(check.definition.id);
    }
    attempts_ = 0;
    probe_at_.reset();
    auto maintenance = admins_maintenance(s.agent, id_);
    if (maintenance.empty()) maintenance = maintenance_reason(r, s.maintenance);
    write(register_service{definition_of(r, s.instance, states, maintenance), std::move(why),
                           std::move(renewed)},
          out);
}

void service_tracker::write(action what, std::vector<action>& out) {
    writing_ = what;
    out.push_back(std::move(what));
}

consul::status service_tracker::state_of(wanted_check const& check, registration const& r) const {
    if (check.by == reporter::docker_health)
        return r.health == docker::health::healthy ? consul::status::passing
                                                   : consul::status::critical;
    auto const p = probes_.find(check.definition.id);
    if (p == probes_.end()) return consul::status::critical;
    if (check.by == reporter::daemon) return p->second.status;
    return p->second.passing == true ? consul::status::passing : consul::status::critical;
}

void service_tracker::complain(std::string code, std::string text, std::vector<action>& out) {
    if (complaint_ == text) return;
    complaint_ = text;
    out.emplace_back(tell{note{note::severity::warning, std::move(code), std::move(text)}});
}

}  // namespace bevmesh::registrar
