// Processes that live, freeze and die; replication between the databases; the clients.
#include <algorithm>

#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

void world::start_db(node& n) {
    auto& db = n.db;
    if (db.running) return;
    db.running = true;
    db.process = n.name + "p" + std::to_string(++n.processes);
    db.gate = {};
    if (settings_.kind == kind::redis && db.log.size() < db.on_disk) db.on_disk = db.log.size();
}

void world::kill_db(node& n) {
    auto& db = n.db;
    if (!db.running) return;
    ++deaths_;
    auto const dead = db.process;
    db.die(settings_.kind == kind::postgres);
    n.hung.clear();
    note(n.name, "! the database dies");
    answer_later(n, dice_.between(ms / 10, 2 * ms), database_died{dead});
}

void world::freeze_db(node& n, bool frozen) {
    if (!n.db.running || n.db.frozen == frozen) return;
    n.db.frozen = frozen;
    if (frozen) return;
    // What its sockets had queued is done in some order with everything else.
    auto waiting = std::move(n.hung);
    n.hung.clear();
    for (auto& what : waiting)
        queue_.in(dice_.between(0, ms),
                  [this, &n, what = std::move(what)] { at_database(n, what); });
}

void world::freeze_daemon(node& n, bool frozen) {
    auto& d = n.daemon;
    if (!d.alive || d.frozen == frozen) return;
    d.frozen = frozen;
    mind_holes(n);
    if (frozen) return;
    auto waiting = std::move(d.inbox);
    d.inbox.clear();
    // What it finds first is a matter of chance: the timer, or what its sockets hold.
    if (dice_.percent(50)) deliver(n, d.life, tick{});
    for (auto& e : waiting)
        deliver(n, d.life, std::move(e));
    arm_tick(n);
}

void world::kill_daemon(node& n) {
    auto& d = n.daemon;
    if (!d.alive) return;
    d.alive = false;
    ++d.life;
    mind_holes(n);
    // ExecStopPost of the unit: fences when the guard is dead too.
    if (!n.guard.alive) kill_db(n);
    note(n.name, "! the daemon dies");
}

void world::freeze_guard(node& n, bool frozen) {
    auto& g = n.guard;
    if (!g.alive || g.frozen == frozen) return;
    g.frozen = frozen;
    if (!frozen) {
        guard_timer(n);
        answer_later(n, ms, guard_seen{g.id});
    }
    mind_holes(n);
}

void world::kill_guard(node& n) {
    auto& g = n.guard;
    if (!g.alive) return;
    note(n.name, "! the guard dies");
    g.alive = false;
    g.frozen = false;
    ++g.alarm;
    if (!n.daemon.alive) kill_db(n);
    mind_holes(n);
    queue_.in(dice_.between(ms, settings_.timing.request.count()), [this, &n] {
        if (!n.guard.alive) deliver(n, n.daemon.life, guard_seen{});
    });
    auto const remembers = dice_.percent(50);
    queue_.in(dice_.between(ms, 2 * settings_.timing.renew.count()), [this, &n, remembers] {
        auto& again = n.guard;
        again.alive = true;
        again.killing = false;
        again.id += "'";
        if (!remembers) again.process.clear();
        guard_timer(n);
        mind_holes(n);
        answer_later(n, ms, guard_seen{again.id});
    });
}

void world::guard_timer(node& n) {
    auto& g = n.guard;
    auto const mine = ++g.alarm;
    if (g.process.empty()) return;
    auto const at = n.clock.when(g.deadline - settings_.timing.kill.count());
    queue_.at(at, [this, &n, mine] {
        if (n.guard.alarm == mine) guard_strikes(n);
    });
}

void world::guard_strikes(node& n) {
    auto& g = n.guard;
    if (!g.alive || g.frozen || g.process.empty()) return;
    auto const held = g.process;
    g.killing = true;
    // K is from its waking to a dead database, on the node's own clock.
    auto const takes = dice_.between(ms / 2, settings_.timing.kill.count() * 9 / 10);
    queue_.in(takes, [this, &n, held] {
        if (!n.guard.alive || n.guard.frozen) return;
        n.guard.killing = false;
        if (n.db.process != held || n.guard.process != held) return;
        note(n.name, "! the guard kills");
        kill_db(n);
        n.guard.process.clear();
    });
}

/// One round of replication, seen from the replica.
void world::stream(node& replica) {
    auto& db = replica.db;
    auto const pace = settings_.timing.renew.count();
    auto const slow = db.slow_stream && !healed_;
    queue_.in(slow ? dice_.between(pace / 2, 4 * pace) : dice_.between(pace / 40, pace / 10),
              [this, &replica] { stream(replica); });
    if (!db.running || db.frozen || db.primary || db.upstream.empty()) {
        db.streaming = false;
        return;
    }
    auto& up = named(db.upstream);
    auto const a = index_of(up.name);
    auto const b = index_of(replica.name);
    auto const there = up.db.running && !up.db.frozen && up.db.primary && linked(a, b) &&
                       linked(b, a) && up.db.history.contains(db.history.id, db.log.size()) &&
                       db.log.size() <= up.db.log.size();
    if (!there) {
        db.streaming = false;
        return;
    }
    db.streaming = true;
    db.history = up.db.history;
    db.log.insert(db.log.end(), up.db.log.begin() + static_cast<std::ptrdiff_t>(db.log.size()),
                  up.db.log.end());
    if (dice_.percent(20)) db.on_disk = db.log.size();
    auto const flushed = db.log.size();
    auto const process = up.db.process;
    auto const history = up.db.history.id;
    post(b, a, [this, &up, name = replica.name, flushed, process, history] {
        if (up.db.process != process || !up.db.primary || up.db.frozen) return;
        if (up.db.history.id != history) return;
        auto& known = up.db.acknowledged[name];
        known = std::max(known, flushed);
        up.db.heard[name] = queue_.now();
        acknowledge(up);
    });
}

/// PostgreSQL: whoever waited for the gate and has enough receipts is answered.
void world::acknowledge(node& primary) {
    auto& db = primary.db;
    auto const enough = [&](pending_write const& w) {
        std::size_t have = 0;
        for (auto const& name : db.gate.nodes) {
            auto const found = db.acknowledged.find(name);
            if (found != db.acknowledged.end() && found->second >= w.end) ++have;
        }
        return have >= db.gate.count;
    };
    std::erase_if(db.pending, [&](pending_write const& w) {
        if (!enough(w)) return false;
        acked_[w.id] = true;
        ++tally_.writes;
        if (settings_.trace) note(primary.name, "w" + std::to_string(w.id) + " is acknowledged");
        return true;
    });
}

std::size_t world::good_replicas(node const& primary) const {
    std::size_t good = 0;
    for (auto const& [name, heard] : primary.db.heard) {
        auto const& replica = nodes_[index_of(name)]->db;
        auto const connected = replica.upstream == primary.name && replica.running;
        // min-replicas-max-lag 1, counted once a second.
        if (connected && queue_.now() - heard < 2000 * ms) ++good;
    }
    return good;
}

/// Pinned to its node: writes whenever the database takes it.
void world::client(node& n) {
    queue_.in(dice_.between(1, settings_.timing.renew.count() / 4), [this, &n] { client(n); });
    auto& db = n.db;
    if (clients_stopped_ || !db.open()) return;
    if (settings_.kind == kind::redis && good_replicas(n) < db.gate.count) return;
    auto const id = last_write_++;
    acked_.push_back(false);
    excused_.push_back(false);
    db.log.push_back(id);
    if (dice_.percent(20)) db.on_disk = db.log.size();
    if (settings_.kind == kind::redis) {
        acked_[id] = true;
        ++tally_.writes;
    } else {
        db.pending.push_back({id, db.log.size()});
        acknowledge(n);
    }
}

/// Named hole: daemon and guard frozen or lost together while the database runs.
void world::mind_holes(node& n) {
    auto const daemon_gone = !n.daemon.alive || n.daemon.frozen;
    auto const guard_gone =
        !n.guard.alive || n.guard.frozen || (n.db.primary && n.guard.process != n.db.process);
    if (daemon_gone && guard_gone) {
        n.unguarded_until = INT64_MAX;
    } else if (n.unguarded_until == INT64_MAX) {
        // Whoever is back fences within its first turn.
        n.unguarded_until =
            queue_.now() + settings_.timing.kill.count() + settings_.timing.fence.count();
    }
}

}  // namespace bevmesh::sim
