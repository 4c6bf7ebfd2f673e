// The driver's side of the local database, as a model: what is done at once, late, or without an
// answer.
#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

/// A frozen process does what it was sent when it goes on.
void world::at_database(node& n, std::function<void()> what) {
    queue_.in(dice_.between(ms / 20, 2 * ms), [this, &n, what = std::move(what)] {
        if (n.db.frozen) {
            n.hung.push_back(what);
            return;
        }
        what();
    });
}

void world::done(node& n, std::uint64_t op, outcome result, std::string detail) {
    carried_out e{op, result};
    e.detail = std::move(detail);
    deliver(n, n.daemon.life, e);
}

database_facts world::facts_of(node& n) {
    auto const& db = n.db;
    database_facts f;
    if (!db.running) return f;
    f.process = db.process;
    f.history = db.history;
    f.role = db.primary ? role::primary : role::replica;
    f.condition = db.primary && db.disk_full ? condition::write_fails : condition::ok;
    f.at = db.log.size();
    f.upstream = db.upstream;
    f.streaming = db.streaming;
    if (!db.primary) return f;
    for (auto const& [name, flushed] : db.acknowledged) {
        auto const& replica = named(name).db;
        auto const heard = db.heard.at(name);
        auto const fresh = queue_.now() - heard < 2 * settings_.timing.request.count();
        auto const up = replica.streaming && replica.upstream == n.name && fresh;
        f.replicas.push_back({name, flushed, up});
    }
    return f;
}

void world::on(node& n, probe const& a) {
    auto const life = n.daemon.life;
    auto const asked = instant(nanoseconds(n.clock.read(queue_.now())));
    if (n.db.frozen) {
        probed hung{a.op, asked, {}};
        hung.facts.condition = condition::hung;
        return answer_later(n, a.limit.count(), hung);
    }
    // What is true when the database speaks, from at once to the end, need not be when it is heard.
    auto const heard = dice_.between(ms / 20, 3 * ms);
    auto const spoken = heard * static_cast<ticks>(a.op % 4) / 3;
    queue_.in(spoken, [this, &n, life, a, asked, on_the_way = heard - spoken] {
        if (n.db.frozen) return;
        queue_.in(on_the_way, [this, &n, life, told = probed{a.op, asked, facts_of(n)}] {
            deliver(n, life, told);
        });
    });
}

void world::on(node& n, end_streams const& a) {
    auto const life = n.daemon.life;
    for (auto const& name : a.nodes) {
        auto& other = named(name);
        if (&other == &n) continue;
        post(index_of(n.name), index_of(name), [&other] {
            if (!other.daemon.alive || other.daemon.frozen || !other.db.running) return;
            other.db.upstream.clear();
            other.db.streaming = false;
        });
    }
    at_database(n, [this, &n, life, a] {
        n.db.upstream.clear();
        n.db.streaming = false;
        if (life == n.daemon.life) done(n, a.op, outcome::done);
    });
}

void world::promote_now(node& n, promote const& a) {
    auto& db = n.db;
    auto const wrong = !a.process.empty() && db.process != a.process;
    if (!db.running || wrong) return done(n, a.op, outcome::refused, "another process");
    if (db.primary) {
        if (!n.lost_answers) done(n, a.op, outcome::done);
        return;
    }
    if (n.fails_promotion) return done(n, a.op, outcome::refused, "it failed");
    db.primary = true;
    n.proved.clear();
    db.streaming = false;
    db.upstream.clear();
    db.acknowledged.clear();
    db.heard.clear();
    db.gate = a.gate;
    auto const old = db.history.id;
    db.history.id = "h" + std::to_string(++histories_);
    if (settings_.kind == kind::redis) db.history.ancestors.clear();
    db.history.ancestors.push_back({old, db.log.size()});
    ++tally_.promotions;
    check_promotion(n);
    if (n.lost_answers) return;
    done(n, a.op, outcome::done);
}

void world::on(node& n, promote const& a) {
    auto const life = n.daemon.life;
    auto const now = instant(nanoseconds(n.clock.read(queue_.now())));
    if (now >= a.not_after) return done(n, a.op, outcome::refused, "too late");
    // The connection is to one process: what is sent on it reaches no other.
    auto const process = n.db.process;
    if (!a.process.empty() && process != a.process) {
        answer_later(n, ms, carried_out{a.op, outcome::refused});
        return;
    }
    auto const delay = n.slow_promotion ? dice_.between(0, 2 * settings_.timing.lease.count()) : 0;
    queue_.in(delay, [this, &n, life, a, process] {
        at_database(n, [this, &n, life, a, process] {
            if (n.db.process != process) {
                if (a.process.empty() && life == n.daemon.life) promote_now(n, a);
                return;
            }
            promote_now(n, a);
        });
    });
    answer_later(n, n.daemon.policy.promote.count(), carried_out{a.op, outcome::unknown});
}

void world::on(node& n, prove const& a) {
    auto const life = n.daemon.life;
    auto const process = n.db.process;
    at_database(n, [this, &n, life, a, process] {
        if (life != n.daemon.life) return;
        auto const right = n.db.process == process && process == a.process && n.db.open();
        if (right) {
            n.proved = process;
            return done(n, a.op, outcome::done);
        }
        carried_out e{a.op, outcome::refused};
        e.why = condition::write_fails;
        deliver(n, life, e);
    });
    answer_later(n, n.daemon.policy.hang.count(), carried_out{a.op, outcome::unknown});
}

void world::on(node& n, set_gate const& a) {
    auto const life = n.daemon.life;
    at_database(n, [this, &n, life, a] {
        if (n.db.process != a.process || !n.db.primary) return;
        n.db.gate = a.gate;
        acknowledge(n);
        carried_out e{a.op, outcome::done};
        e.at = n.db.log.size();
        deliver(n, life, e);
    });
    answer_later(n, settings_.timing.request.count(), carried_out{a.op, outcome::unknown});
}

void world::drain_turn(node& n, drain const& a, ticks until, std::uint64_t life) {
    auto const& target = named(a.target).db;
    auto const redis = settings_.kind == kind::redis;
    carried_out e{a.op, outcome::done};
    e.at = n.db.log.size();
    e.stopped = !redis && !n.db.running;
    auto const gone = redis && n.db.process != a.process;
    auto const there = !gone && target.running && target.log.size() >= n.db.log.size() &&
                       linked(index_of(a.target), index_of(n.name));
    if (there && (redis ? target.streaming : true)) return deliver(n, life, e);
    if (queue_.now() >= until || gone) {
        e.stopped = e.stopped || gone;
        e.result = outcome::refused;
        e.detail = a.target + " did not get there";
        return deliver(n, life, e);
    }
    if (life != n.daemon.life) return;
    queue_.in(2 * ms, [this, &n, a, until, life] { drain_turn(n, a, until, life); });
}

void world::on(node& n, drain const& a) {
    check_drain(n);
    auto const life = n.daemon.life;
    auto const until = queue_.now() + a.limit.count();
    at_database(n, [this, &n, a, until, life] {
        if (n.db.process != a.process || life != n.daemon.life) return;
        n.db.paused = true;
        if (settings_.kind == kind::postgres) {
            // The fast stop sends the last records before the process ends.
            auto& target = named(a.target);
            auto& db = n.db;
            if (target.db.streaming && target.db.upstream == n.name && !target.db.frozen &&
                linked(index_of(n.name), index_of(a.target))) {
                target.db.log = db.log;
                db.acknowledged[a.target] = db.log.size();
                acknowledge(n);
            }
            kill_db(n);
        }
        drain_turn(n, a, until, life);
    });
}

void world::on(node& n, resume_writes const& a) {
    auto const life = n.daemon.life;
    at_database(n, [this, &n, life, a] {
        if (n.db.process != a.process) return;
        n.db.paused = false;
        if (life == n.daemon.life) done(n, a.op, outcome::done);
    });
}

void world::on(node& n, fence const& a) {
    auto const life = n.daemon.life;
    auto const limit = settings_.timing.fence.count();
    ++deaths_;
    auto const gentle = settings_.kind == kind::redis && !a.kill;
    if (!gentle) {
        queue_.in(dice_.between(ms, limit / 4), [this, &n, life, a] {
            if (a.process.empty() || n.db.process == a.process) kill_db(n);
            fenced e{a.op, outcome::done, true};
            deliver(n, life, e);
        });
        return;
    }
    at_database(n, [this, &n, life, a] {
        if (a.process.empty() || n.db.process == a.process) {
            n.db.primary = n.db.paused = false;
            n.db.upstream = a.upstream;
            n.db.pending.clear();
            n.db.streaming = false;
        }
        if (life == n.daemon.life) deliver(n, life, fenced{a.op, outcome::done, false});
    });
    answer_later(n, limit, fenced{a.op, outcome::unknown, false});
}

void world::on(node& n, start_database const& a) {
    auto const life = n.daemon.life;
    queue_.in(dice_.between(ms, settings_.timing.request.count()), [this, &n, life, a] {
        start_db(n);
        if (life == n.daemon.life) done(n, a.op, outcome::done);
    });
}

void world::on(node& n, follow const& a) {
    auto const life = n.daemon.life;
    at_database(n, [this, &n, life, a] {
        if (life != n.daemon.life || n.db.process != a.process || n.db.primary) return;
        auto const& up = named(a.upstream).db;
        carried_out e{a.op, outcome::done};
        auto const reachable = up.running && !up.frozen && up.primary &&
                               linked(index_of(n.name), index_of(a.upstream)) &&
                               linked(index_of(a.upstream), index_of(n.name));
        if (!reachable) {
            e.result = outcome::unknown;
        } else if (!up.history.contains(n.db.history.id, n.db.log.size())) {
            e.result = outcome::refused;
            e.diverged = true;
        } else {
            n.db.upstream = a.upstream;
        }
        deliver(n, life, e);
    });
    answer_later(n, n.daemon.policy.hang.count(), carried_out{a.op, outcome::unknown});
}

void world::on(node& n, checkpoint const& a) {
    done(n, a.op, outcome::done);
}

void world::on(node& n, quarantine const& a) {
    answer_later(n, dice_.between(ms, settings_.timing.renew.count()),
                 carried_out{a.op, outcome::done});
}

void world::on(node& n, resync const& a) {
    auto const life = n.daemon.life;
    queue_.in(dice_.between(ms, settings_.timing.renew.count()), [this, &n, life, a] {
        if (life != n.daemon.life || !n.db.running || n.db.frozen || n.db.primary) return;
        auto const& up = named(a.upstream).db;
        auto const reachable = up.running && !up.frozen && up.primary &&
                               linked(index_of(n.name), index_of(a.upstream)) &&
                               linked(index_of(a.upstream), index_of(n.name));
        if (!reachable) return done(n, a.op, outcome::unknown);
        n.db.log = up.log;
        n.db.on_disk = n.db.log.size();
        n.db.history = up.history;
        n.db.upstream = a.upstream;
        done(n, a.op, outcome::done);
    });
    answer_later(n, n.daemon.policy.resync.count(), carried_out{a.op, outcome::unknown});
}

}  // namespace bevmesh::sim
