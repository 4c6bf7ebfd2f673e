// The driver's side of Consul, peers and guard, as models.
#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

void world::perform(node& n, action const& a) {
    std::visit([&](auto const& each) { on(n, each); }, a);
}

void world::at_consul(std::size_t from, std::function<void()> what) {
    post(from, nodes_.size(), [this, what = std::move(what)] {
        // Without a leader a request waits in its agent, or fails.
        if (consul_.available) return what();
        if (!dice_.percent(30)) return;
        queue_.in(dice_.between(0, settings_.unit()), [this, what] {
            if (consul_.available) what();
        });
    });
}

void world::on(node& n, read_record const& a) {
    auto const life = n.daemon.life;
    auto const self = index_of(n.name);
    at_consul(self, [this, &n, life, self, op = a.op] {
        record_seen e{op, consul_.entry().index, consul_.entry().record};
        post(nodes_.size(), self, [this, &n, life, e] { deliver(n, life, e); });
    });
    answer_later(n, settings_.timing.request.count(), read_failed{a.op});
}

void world::on(node& n, write_record const& a) {
    if (a.endpoint == endpoint_change::publish) check_publish(n);
    auto const life = n.daemon.life;
    auto const self = index_of(n.name);
    at_consul(self, [this, &n, life, self, a] {
        auto const index = consul_.write(a, dice_);
        write_answered e{a.record.write_id, outcome::refused, 0};
        e.conflict = !index;
        if (index) {
            e.result = outcome::done;
            e.index = *index;
            commit(n, a);
        }
        post(nodes_.size(), self, [this, &n, life, e] { deliver(n, life, e); });
    });
    auto const id = a.record.write_id;
    answer_later(n, settings_.timing.request.count(), write_answered{id, outcome::unknown, 0});
}

void world::commit(node& n, write_record const& a) {
    auto const& before = consul_.before().record;
    note("consul", to_string(action(a)) + " is " + std::to_string(consul_.entry().index));
    if (a.record.state == lease_state::held &&
        (!before || before->epoch != a.record.epoch || before->holder != n.name)) {
        n.planned = before && before->state == lease_state::released && before->target == n.name;
    }
    notify();
}

/// Blocking queries: late, sometimes lost, sometimes of a follower that lags.
void world::notify() {
    for (auto& each : nodes_) {
        auto& n = *each;
        auto const life = n.daemon.life;
        auto const stale = (stale_ && dice_.percent(40)) || dice_.permille(settings_.slow / 4);
        auto const& entry = stale ? consul_.before() : consul_.entry();
        record_seen e{0, entry.index, entry.record};
        post(nodes_.size(), index_of(n.name), [this, &n, life, e] { deliver(n, life, e); });
    }
}

void world::on(node& n, ask_promises const& a) {
    auto const self = index_of(n.name);
    for (auto const& to : a.nodes) {
        auto& peer = named(to);
        post(self, index_of(to), [this, &peer, from = n.name, a] {
            deliver(peer, peer.daemon.life, promise_asked{from, a.round, a.epoch});
        });
    }
}

void world::on(node& n, answer_promise const& a) {
    auto& to = named(a.to);
    promise_answered e{n.name, a.round, a.granted, a.why};
    post(index_of(n.name), index_of(a.to), [this, &to, e] { deliver(to, to.daemon.life, e); });
}

void world::on(node& n, ask_peer const& a) {
    auto const self = index_of(n.name);
    auto const there = index_of(a.node);
    auto const life = n.daemon.life;
    auto& peer = named(a.node);
    post(self, there, [this, &n, &peer, life, self, there, a] {
        if (!peer.daemon.alive || peer.daemon.frozen) return;
        auto const now = instant(nanoseconds(peer.clock.read(queue_.now())));
        peer_answered e{a.op, a.node, own_report(peer.daemon.core, peer.daemon.policy, now)};
        post(there, self, [this, &n, life, e] { deliver(n, life, e); });
    });
    answer_later(n, settings_.timing.request.count(), peer_answered{a.op, a.node, std::nullopt});
}

void world::on(node& n, nudge const& a) {
    auto const self = index_of(n.name);
    for (auto const& to : a.nodes) {
        auto& peer = named(to);
        post(self, index_of(to),
             [this, &peer, from = n.name] { deliver(peer, peer.daemon.life, nudged{from}); });
    }
}

void world::on(node& n, arm_guard const& a) {
    auto const life = n.daemon.life;
    queue_.in(dice_.between(ms / 20, ms), [this, &n, life, a] {
        auto& g = n.guard;
        if (!g.alive || g.frozen || life != n.daemon.life) return;
        guard_answered e{a.op, outcome::done, g.id};
        if (a.process != n.db.process || g.killing) {
            e.result = outcome::refused;
        } else {
            g.process = a.process;
            g.deadline = a.valid_until.time_since_epoch().count();
            g.memory = a.memory;
            guard_timer(n);
        }
        deliver(n, life, e);
    });
}

void world::on(node& n, extend_guard const& a) {
    auto const life = n.daemon.life;
    queue_.in(dice_.between(ms / 20, ms), [this, &n, life, a] {
        auto& g = n.guard;
        if (!g.alive || g.frozen || life != n.daemon.life) return;
        guard_answered e{a.op, outcome::done, g.id};
        auto const kill_at = g.deadline - settings_.timing.kill.count();
        if (g.process.empty() || g.killing || n.clock.read(queue_.now()) >= kill_at) {
            e.result = outcome::refused;
        } else {
            auto const until = a.valid_until.time_since_epoch().count();
            if (a.shorter || until > g.deadline) g.deadline = until;
            g.memory = a.memory;
            guard_timer(n);
        }
        deliver(n, life, e);
    });
}

void world::on(node& n, forget_guard const& a) {
    auto const life = n.daemon.life;
    queue_.in(dice_.between(ms / 20, ms), [this, &n, life, a] {
        auto& g = n.guard;
        if (!g.alive || g.frozen || life != n.daemon.life) return;
        g.process.clear();
        ++g.alarm;
        deliver(n, life, guard_answered{a.op, outcome::done, g.id});
    });
}

void world::on(node&, tell const&) {}

void world::on(node& n, run_hook const& a) {
    answer_later(n, dice_.between(ms, 20 * ms), carried_out{a.op, outcome::done});
}

}  // namespace bevmesh::sim
