#include "registrar/service_keeper.hpp"

#include <algorithm>

namespace bevmesh::registrar {
namespace {

constexpr backoff_policy retry{milliseconds(500), milliseconds(30'000)};

}  // namespace

class service_keeper::change {
public:
    change(service_keeper& keeper, entry const& e)
        : keeper_(&keeper), entry_(&e), before_(e.tracker.busy()) {}
    ~change() {
        keeper_->busy_ += static_cast<std::size_t>(entry_->tracker.busy());
        keeper_->busy_ -= static_cast<std::size_t>(before_);
    }
    change(change const&) = delete;
    change& operator=(change const&) = delete;

private:
    service_keeper* keeper_;
    entry const* entry_;
    bool before_;
};

service_keeper::entry& service_keeper::at(std::string const& id) {
    return services_.try_emplace(id, entry{service_tracker(id), {}}).first->second;
}

void service_keeper::claim(std::string const& by, std::vector<registration> const& wanted) {
    std::set<std::string> ids;
    for (auto const& r : wanted)
        ids.insert(r.service.id);
    for (auto const& id : std::exchange(claimed_[by], ids)) {
        if (ids.contains(id)) continue;
        at(id).tracker.drop_claim(by);
        dirty_.insert(id);
    }
    if (ids.empty()) claimed_.erase(by);
    for (auto const& r : wanted)
        if (at(r.service.id).tracker.claim(by, r)) dirty_.insert(r.service.id);
}

void service_keeper::allow_removals() {
    if (!std::exchange(removals_, true)) touch_all();
}

void service_keeper::want_maintenance(std::string const& service, std::string const& reason) {
    if (reason.empty())
        maintenance_.erase(service);
    else
        maintenance_[service] = reason;
    touch_all();
}

void service_keeper::on_agent_listed(agent_listed const& e) {
    auto fresh = e.agent;
    for (auto const& id : std::exchange(written_, {})) {
        apply_deregistration(fresh, id);
        auto const it = agent_.services.find(id);
        if (it == agent_.services.end()) continue;
        fresh.services.insert(*it);
        for (auto const& [check_id, check] : agent_.checks)
            if (check.service_id == id) fresh.checks.emplace(check_id, check);
    }
    agent_ = std::move(fresh);
    agent_known_ = true;
    agent_listing_ = false;
    agent_failures_ = 0;
    touch_all();
}

void service_keeper::on_agent_failed(instant now, random_source& random) {
    agent_known_ = false;
    agent_listing_ = false;
    written_.clear();
    dirty_.merge(urgent_);
    urgent_.clear();
    for (auto& [id, e] : services_)
        e.tracker.on_agent_lost();
    agent_at_ = now + backoff_delay(retry, agent_failures_++, random);
}

void service_keeper::on_looked_up(looked_up const& e) {
    auto const it = services_.find(e.service_id);
    if (it == services_.end()) return;
    change const guard(*this, it->second);
    it->second.tracker.on_looked_up();
    if (!agent_known_) {
        it->second.tracker.on_agent_lost();
        return;
    }
    apply_deregistration(agent_, e.service_id);
    if (e.entry) {
        agent_.services[e.service_id] = e.entry->service;
        agent_.checks.insert(e.entry->checks.begin(), e.entry->checks.end());
    }
    urgent_.insert(e.service_id);
}

void service_keeper::on_look_up_failed(look_up_failed const& e, instant now,
                                       random_source& random) {
    auto const it = services_.find(e.service_id);
    if (it == services_.end()) return;
    change const guard(*this, it->second);
    auto& t = it->second.tracker;
    t.on_look_up_failed(now + backoff_delay(retry, t.failures(), random));
    dirty_.insert(e.service_id);
}

void service_keeper::on_probed(probed const& e, instant now) {
    auto const it = services_.find(e.service_id);
    if (it == services_.end()) return;
    change const guard(*this, it->second);
    it->second.tracker.on_probed(e, now);
    dirty_.insert(e.service_id);
}

void service_keeper::on_written(written const& e, instant now, random_source& random) {
    auto const it = services_.find(e.service_id);
    if (it == services_.end()) return;
    auto& t = it->second.tracker;
    change const guard(*this, it->second);
    auto const what = t.end_write();
    if (!what) return;
    dirty_.insert(e.service_id);
    auto const* maintenance = std::get_if<set_maintenance>(&*what);
    bool const removal =
        std::holds_alternative<deregister_service>(*what) || (maintenance && !maintenance->on);
    if (!e.error || (removal && *e.error == errc::not_found)) {
        t.on_write_done(*what, now);
        apply(*what);
        if (agent_listing_) written_.insert(e.service_id);
        return;
    }
    ++counters_.write_errors;
    auto const again = now + backoff_delay(retry, t.failures(), random);
    t.on_write_failed(again, e.detail);
    // not_found: the agent has lost what it held, and so probably all the rest. No whole answer:
    // the write may have happened or not, and nothing cached counts. An answer, be it an error
    // (Consul says 500 to a check that it may not run), is this service's matter alone.
    if (*e.error == errc::not_found)
        agent_at_ = now;
    else if (*e.error == errc::unreachable || *e.error == errc::timed_out ||
             *e.error == errc::truncated)
        on_agent_failed(now, random);
    else
        agent_at_ = agent_at_ ? std::min(*agent_at_, again) : again;
}

void service_keeper::apply(action const& what) {
    if (auto const* r = std::get_if<register_service>(&what)) {
        ++counters_.registrations;
        for (auto const& id : r->reborn_checks)
            agent_.checks.erase(id);
        apply_registration(agent_, r->definition);
    } else if (auto const* d = std::get_if<deregister_service>(&what)) {
        ++counters_.deregistrations;
        apply_deregistration(agent_, d->service_id);
    } else if (auto const* report = std::get_if<report_check>(&what)) {
        ++counters_.reports;
        auto& check = agent_.checks[report->check_id];
        check.id = report->check_id;
        check.service_id = report->service_id;
        check.status = report->status;
        check.output = report->output;
    } else if (auto const* m = std::get_if<set_maintenance>(&what)) {
        ++counters_.maintenance_changes;
        auto const id = maintenance_check_id(m->service_id);
        agent_.checks.erase(id);
        if (!m->on) return;
        auto& check = agent_.checks[id];
        check.id = id;
        check.service_id = m->service_id;
        check.notes = m->reason;
    }
}

void service_keeper::settle(instant now, milliseconds resync, random_source& random,
                            std::vector<action>& out) {
    if (agent_known_ && !agent_listing_ && !agent_at_)
        // Spread over ±10 %, so that the nodes of a mesh do not fall into step.
        agent_at_ = now + resync * static_cast<std::int64_t>(90 + random.below(21)) / 100;
    if (!agent_listing_ && agent_at_ && *agent_at_ <= now) {
        agent_at_.reset();
        agent_listing_ = true;
        out.emplace_back(list_agent{});
    }
    while (!timers_.empty() && timers_.begin()->first <= now) {
        auto const id = timers_.extract(timers_.begin()).value().second;
        if (auto const it = services_.find(id); it != services_.end()) {
            it->second.timer.reset();
            dirty_.insert(id);
        }
    }
    if (!agent_known_) return;
    while (!urgent_.empty() || (!dirty_.empty() && busy_ < busy_max)) {
        auto& from = urgent_.empty() ? dirty_ : urgent_;
        auto const id = from.extract(from.begin()).value();
        auto& e = at(id);
        {
            change const guard(*this, e);
            service_tracker::surroundings const s{agent_, instance_, removals_,
                                                  asked_maintenance(e.tracker, id), now};
            set_timer(id, e, e.tracker.settle(s, out));
        }
        if (e.tracker.finished()) {
            set_timer(id, e, {});
            services_.erase(id);
        }
    }
}

std::optional<instant> service_keeper::next_wake() const {
    auto earliest = agent_listing_ ? std::nullopt : agent_at_;
    if (agent_known_ && !timers_.empty() && (!earliest || timers_.begin()->first < *earliest))
        earliest = timers_.begin()->first;
    return earliest;
}

bool service_keeper::idle() const {
    return agent_known_ && !agent_listing_ && dirty_.empty() && urgent_.empty() && busy_ == 0 &&
           std::ranges::all_of(services_, [](auto const& e) { return e.second.tracker.at_rest(); });
}

std::vector<service_view> service_keeper::view() const {
    std::vector<service_view> all;
    for (auto const& [id, e] : services_) {
        auto const* wanted = e.tracker.wanted();
        auto [phase, detail] = e.tracker.phase(agent_);
        service_view v{id, "", "", "", std::move(phase), std::move(detail)};
        if (wanted) {
            v.name = wanted->service.name;
            v.container = wanted->container_name;
            v.source = name(wanted->source);
        }
        all.push_back(std::move(v));
    }
    return all;
}

std::string_view service_keeper::asked_maintenance(service_tracker const& t,
                                                   std::string const& id) const {
    auto it = maintenance_.find(id);
    if (auto const* wanted = t.wanted(); wanted && it == maintenance_.end())
        it = maintenance_.find(wanted->service.name);
    return it == maintenance_.end() ? std::string_view() : std::string_view(it->second);
}

void service_keeper::touch_all() {
    for (auto const& [id, e] : services_)
        dirty_.insert(id);
    for (auto const& [id, held] : agent_.services)
        if (owner_of(held, instance_) == owner::ours) dirty_.insert(id);
}

void service_keeper::set_timer(std::string const& id, entry& e, std::optional<instant> wake) {
    if (e.timer == wake) return;
    if (e.timer) timers_.erase({*e.timer, id});
    e.timer = wake;
    if (wake) timers_.emplace(*wake, id);
}

}  // namespace bevmesh::registrar
