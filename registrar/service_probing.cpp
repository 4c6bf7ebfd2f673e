// The probes of service_tracker: the gate before an announcement, the look for a first success
// after a critical birth, and the checks that the daemon itself reports.
#include <algorithm>

#include "registrar/service_tracker.hpp"

namespace bevmesh::registrar {
namespace {

constexpr milliseconds rebirth_first{250};
constexpr milliseconds rebirth_most{5'000};

/// Until the next attempt of a gate: quick while a process usually comes up, then gentle.
milliseconds next_attempt(unsigned attempts) {
    if (attempts < 50) return milliseconds(10);
    return attempts < 100 ? milliseconds(50) : milliseconds(250);
}

}  // namespace

bool service_tracker::probed_for_birth(wanted_check const& check) {
    return check.probe && check.definition.initial_status.empty();
}

void service_tracker::on_probed(probed const& e, instant now) {
    if (e.round != round_) return;
    auto const at = probes_.find(e.check_id);
    if (at == probes_.end() || !at->second.under_way) return;
    auto& p = at->second;
    p.under_way = false;
    p.passing = e.passing;
    p.detail = e.detail;
    p.successes = e.passing ? p.successes + 1 : 0;
    p.failures = e.passing ? 0 : p.failures + 1;
    auto const* r = wanted();
    if (!r) return;
    auto const check =
        std::ranges::find(r->checks, e.check_id, [](auto const& c) { return c.definition.id; });
    if (check == r->checks.end()) return;
    if (p.successes >= std::max(check->definition.success_before_passing, 1U))
        p.status = consul::status::passing;
    else if (p.failures >= std::max(check->definition.failures_before_critical, 1U))
        p.status = consul::status::critical;
    if (check->by == reporter::daemon) p.next = now + check->interval;
}

service_tracker::gate service_tracker::pass_gate(registration const& r, std::string const& key,
                                                 surroundings const& s, std::vector<action>& out) {
    if (gate_ != key) open_round(r, key, s, out);
    // What is to be out of DNS anyway need not answer first.
    if (!maintenance_reason(r, s.maintenance).empty() || all_pass(r)) return gate::passed;
    if (s.now >= gate_until_) return gate::given_up;
    wake(gate_until_);
    if (any_probe_under_way()) return gate::shut;
    if (!probe_at_) probe_at_ = s.now + next_attempt(attempts_++);
    if (*probe_at_ <= s.now) {
        probe_at_.reset();
        run_failing(r, out);
    } else {
        wake(*probe_at_);
    }
    return gate::shut;
}

void service_tracker::open_round(registration const& r, std::string const& key,
                                 surroundings const& s, std::vector<action>& out) {
    gate_ = key;
    ++round_;
    attempts_ = 0;
    gate_until_ = s.now + r.announce_wait;
    starting_until_ = s.now;
    for (auto const& check : r.checks)
        starting_until_ = std::max(starting_until_, s.now + check.start_period);
    probe_at_.reset();
    auto const known = std::exchange(probes_, {});
    for (auto const& check : r.checks) {
        if (!check.probe) continue;
        auto& p = probes_[check.definition.id];
        if (auto const old = known.find(check.definition.id); old != known.end()) {
            p.status = old->second.status;
            p.next = old->second.next;
        }
    }
    if (maintenance_reason(r, s.maintenance).empty()) run_failing(r, out);
}

void service_tracker::run_failing(registration const& r, std::vector<action>& out) {
    for (auto const& check : r.checks)
        if (check.probe && probes_[check.definition.id].passing != true) run(check, out);
}

void service_tracker::run(wanted_check const& check, std::vector<action>& out) {
    auto& p = probes_[check.definition.id];
    if (p.under_way) return;
    p.under_way = true;
    out.emplace_back(run_probe{id_, check.definition.id, round_, *check.probe});
}

void service_tracker::probe_for_reports(registration const& r, surroundings const& s,
                                        std::vector<action>& out) {
    for (auto const& check : r.checks) {
        if (check.by != reporter::daemon || !check.probe) continue;
        auto& p = probes_[check.definition.id];
        if (p.under_way) continue;
        if (!p.next || *p.next <= s.now)
            run(check, out);
        else
            wake(*p.next);
    }
}

void service_tracker::probe_for_rebirth(registration const& r, surroundings const& s,
                                        std::vector<action>& out) {
    if (!unproven_ || any_probe_under_way()) return;
    // Consul may have found it passing by itself meanwhile.
    if (std::ranges::all_of(r.checks, [&](auto const& c) {
            auto const have = s.agent.checks.find(c.definition.id);
            return c.by != reporter::consul || !probed_for_birth(c) ||
                   (have != s.agent.checks.end() && have->second.status == consul::status::passing);
        })) {
        unproven_ = false;
        return;
    }
    if (all_pass(r)) {
        if (look_first(out)) write_registration(r, "it answers now", true, s, out);
        return;
    }
    if (!probe_at_) {
        nanoseconds wait = rebirth_first;
        if (s.now >= starting_until_)
            wait = std::min<nanoseconds>(rebirth_most, wait * (1LL << std::min(attempts_, 5U)));
        probe_at_ = s.now + wait;
        ++attempts_;
    }
    if (*probe_at_ <= s.now) {
        probe_at_.reset();
        run_failing(r, out);
    } else {
        wake(*probe_at_);
    }
}

bool service_tracker::all_pass(registration const& r) const {
    return std::ranges::all_of(r.checks, [&](wanted_check const& c) {
        if (!probed_for_birth(c)) return true;
        auto const p = probes_.find(c.definition.id);
        return p != probes_.end() && p->second.passing == true;
    });
}

bool service_tracker::any_probe_under_way() const {
    return std::ranges::any_of(probes_, [](auto const& p) { return p.second.under_way; });
}

}  // namespace bevmesh::registrar
