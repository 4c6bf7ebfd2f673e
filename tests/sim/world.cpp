#include "tests/sim/world.hpp"

#include <cstdio>

namespace bevmesh::sim {

using namespace failover;

namespace {

instant local(ticks t) {
    return instant(nanoseconds(t));
}

}  // namespace

policy policy_of(settings const& s, std::vector<std::string> const& members,
                 std::string const& self) {
    policy p;
    p.group = "db";
    p.self = self;
    p.members = members;
    p.kind = s.kind;
    p.timing = s.timing;
    p.sync = s.sync;
    p.preferred = members.front();
    if (s.failback) p.failback_after = 3 * s.timing.observer;
    p.block = 6 * s.timing.observer;
    p.probe = s.timing.renew;
    p.hang = 3 * s.timing.renew;
    p.drain = 2 * s.timing.request;
    p.promote = s.timing.lease;
    p.resync = s.timing.observer;
    p.hook = s.timing.request;
    p.lag_max = 20;
    p.planned_term = std::chrono::duration_cast<milliseconds>(
        std::min(longest_term(s.timing), 2 * s.timing.lease));
    p.broken.which = s.fault;
    auto const timing = p.timing;
    if (s.fault == fault::old_wan_numbers) p.timing = *profile("wan");
    auto good = checked(p, s.profile).value();
    good.timing = timing;
    return good;
}

world::world(settings const& s) : settings_(s), dice_(s.seed) {
    std::vector<std::string> members;
    for (unsigned i = 0; i < s.nodes; ++i)
        members.push_back(std::string(1, static_cast<char>('a' + i)));
    cut_.assign(s.nodes + 1, std::vector<bool>(s.nodes + 1, false));
    for (auto const& name : members) {
        auto n = std::make_unique<node>();
        n->name = name;
        auto const percent =
            s.extreme_clocks ? (dice_.percent(50) ? 5 : -5) : static_cast<int>(dice_.below(11)) - 5;
        n->clock.set(0, 1.0 + percent / 100.0);
        n->daemon.policy = policy_of(s, members, name);
        n->guard.id = "g" + name + "0";
        n->db.history.id = "h0";
        nodes_.push_back(std::move(n));
    }
}

node& world::named(std::string const& name) {
    return *nodes_[index_of(name)];
}

std::size_t world::index_of(std::string const& name) const {
    return static_cast<std::size_t>(name.front() - 'a');
}

void world::note(std::string const& who, std::string const& what) {
    for (auto const c : what)
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash_ = (hash_ ^ static_cast<std::uint64_t>(queue_.now())) * 1099511628211ULL;
    if (!settings_.trace) return;
    std::printf("%9.3f %s %s\n", static_cast<double>(queue_.now()) / 1e9, who.c_str(),
                what.c_str());
}

ticks world::latency() {
    auto const r = settings_.timing.request.count();
    if (!healed_ && dice_.permille(settings_.slow)) return dice_.between(r / 2, 2 * r);
    return dice_.between(r / 100, r / 12);
}

void world::post(std::size_t from, std::size_t to, std::function<void()> what) {
    if (!linked(from, to) || (!healed_ && dice_.permille(settings_.loss))) return;
    if (!healed_ && dice_.permille(settings_.duplicates)) queue_.in(latency(), what);
    queue_.in(latency(), std::move(what));
}

void world::boot_daemon(node& n) {
    auto& d = n.daemon;
    if (d.alive) return;
    if (n.frozen) {
        queue_.in(settings_.timing.request.count(), [this, &n] { boot_daemon(n); });
        return;
    }
    d.alive = true;
    d.frozen = false;
    ++d.life;
    d.inbox.clear();
    started e;
    e.incarnation = n.name + std::to_string(d.life);
    if (n.guard.alive && !n.guard.frozen) {
        e.guard_id = n.guard.id;
        if (!n.guard.process.empty() && n.guard.process == n.db.process) {
            e.inherited = inheritance{local(n.guard.deadline), n.guard.memory, n.guard.process};
        }
    }
    d.core = {};
    mind_holes(n);
    feed(n, e);
}

void world::deliver(node& n, std::uint64_t life, event e) {
    if (!n.daemon.alive || n.daemon.life != life) return;
    if (n.daemon.frozen) {
        n.daemon.inbox.push_back(std::move(e));
        return;
    }
    feed(n, e);
}

void world::feed(node& n, event const& e) {
    auto& d = n.daemon;
    ++tally_.steps;
    auto const was = d.core.at;
    auto const now = local(n.clock.read(queue_.now()));
    if (!std::holds_alternative<tick>(e)) note(n.name, "< " + to_string(e));
    auto next = step(std::move(d.core), e, now, d.policy);
    d.core = std::move(next.next);
    if (d.core.at != was) note(n.name, "= " + std::string(name(d.core.at)));
    arm_tick(n);
    for (auto const& a : next.actions) {
        note(n.name, "> " + to_string(a));
        perform(n, a);
        if (!violation_.empty()) return;
    }
}

void world::arm_tick(node& n) {
    auto const mine = ++n.daemon.alarm;
    auto const wake = n.clock.when(n.daemon.core.wake.time_since_epoch().count());
    auto const late = dice_.between(0, settings_.timing.request.count() / 50);
    queue_.at(wake + late, [this, &n, mine] {
        if (n.daemon.alarm == mine) deliver(n, n.daemon.life, tick{});
    });
}

std::string world::run() {
    for (auto& n : nodes_) {
        start_db(*n);
        boot_daemon(*n);
        client(*n);
        stream(*n);
    }
    auto const calm = 4 * settings_.unit();
    plan_weather();
    auto const safety_end = calm + static_cast<ticks>(settings_.episodes) * 2 * settings_.unit();
    while (violation_.empty() && queue_.run_one(safety_end))
        check();
    if (!violation_.empty()) return violation_;
    check_outage();
    heal();
    auto const bound = safety_end + 40 * settings_.unit();
    ticks next_look = safety_end + settings_.unit();
    while (violation_.empty()) {
        if (queue_.now() >= next_look) {
            next_look += settings_.unit() / 2;
            if (!clients_stopped_) {
                if (unconverged().empty()) clients_stopped_ = true;
                operator_helps();
            } else if (unconverged().empty()) {
                return {};
            } else {
                operator_helps();
            }
        }
        if (queue_.now() >= bound) {
            violated("not converged after the heal: " + unconverged() + standing());
            break;
        }
        (void)queue_.run_one(next_look);
        check();
    }
    return violation_;
}

}  // namespace bevmesh::sim
