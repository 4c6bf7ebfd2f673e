// What goes wrong, when and for how long; then the heal, and the operator who helps where only an
// operator may.
#include <algorithm>
#include <cstdio>

#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

void world::plan_weather() {
    auto const calm = 4 * settings_.unit();
    for (unsigned i = 0; i < settings_.episodes; ++i) {
        auto const start = calm + dice_.between(0, static_cast<ticks>(settings_.episodes - 1) * 2 *
                                                       settings_.unit());
        static std::vector<ticks> const tenths{1, 3, 5, 8, 9, 10, 11, 15, 20};
        auto const length = settings_.unit() * dice_.one_of(tenths) / 10;
        queue_.at(start, [this, length] {
            if (healed_) return;
            if (settings_.outage_only) return outage(length);
            episode(length);
        });
    }
}

void world::episode(ticks length) {
    auto const consul = nodes_.size();
    auto& n = *nodes_[dice_.below(nodes_.size())];
    // Mostly the one that matters.
    auto const& record = consul_.entry().record;
    auto& victim = record && dice_.percent(60) ? named(record->holder) : n;
    auto const v = index_of(victim.name);
    auto kind_of = dice_.below(30);
    // A broken rule is looked for where it matters: the same weather, more often.
    if (settings_.fault == fault::observer_waits_lease ||
        settings_.fault == fault::counted_from_receipt ||
        settings_.fault == fault::old_wan_numbers) {
        kind_of = kind_of % 2 == 0 ? 10 : kind_of;
    }
    if (settings_.fault == fault::free_is_permission) {
        kind_of = kind_of % 3 == 0 ? 16 : kind_of % 3 == 1 ? 0 : kind_of;
    }
    if (settings_.fault == fault::mixed_rounds) kind_of = kind_of % 4 != 0 ? 24 : kind_of;
    if (settings_.fault == fault::release_before_fence) {
        kind_of = kind_of % 3 == 0 ? 14 : kind_of % 3 == 1 ? 19 : kind_of;
    }
    // Together with another fault a restored entry is a forged one: a named hole.
    auto const restores = kind_of == 18 || kind_of == 26;
    if (settings_.restore_only) {
        kind_of = kind_of % 2 == 0 ? 18 : 26;
    } else if (restores) {
        kind_of = 0;
    }
    auto const log = [&](std::string const& what) {
        char when[32];
        std::snprintf(when, sizeof when, "%.3f s ", static_cast<double>(queue_.now()) / 1e9);
        schedule_.push_back(when + what + " " + victim.name + " for " +
                            std::to_string(length / ms) + " ms");
        note("weather", schedule_.back());
    };
    auto const until = [&](auto undo) { queue_.in(length, undo); };
    auto const cut = [&](std::size_t from, std::size_t to) {
        cut_[from][to] = true;
        until([this, from, to] { cut_[from][to] = false; });
    };
    switch (kind_of) {
        case 0:
            log("isolate");
            for (std::size_t i = 0; i <= consul; ++i) {
                if (i != v) {
                    cut(i, v);
                    cut(v, i);
                }
            }
            return;
        case 1:
            log("cut from Consul");
            cut(v, consul);
            return cut(consul, v);
        case 2:
            log("cut to Consul, one way");
            return cut(v, consul);
        case 3:
            log("cut from Consul's answers");
            return cut(consul, v);
        case 4: {
            auto const other = dice_.below(nodes_.size());
            log("cut one way from node " + std::to_string(other) + " to");
            return other != v ? cut(other, v) : void();
        }
        case 5: {
            auto const other = dice_.below(nodes_.size());
            log("cut both ways from node " + std::to_string(other) + " to");
            if (other == v) return;
            cut(other, v);
            return cut(v, other);
        }
        case 6:
        case 7:
            log("Consul gone, seen from");
            consul_.available = false;
            return until([this] { consul_.available = true; });
        case 8:
            log("kill the database of");
            return kill_db(victim);
        case 9:
            log("freeze the database of");
            freeze_db(victim, true);
            return until([this, &victim] { freeze_db(victim, false); });
        case 10:
            log("freeze the daemon of");
            freeze_daemon(victim, true);
            return until([this, &victim] { freeze_daemon(victim, false); });
        case 11:
            log("kill the daemon of");
            kill_daemon(victim);
            return until([this, &victim] { boot_daemon(victim); });
        case 12:
            log("kill the guard of");
            return kill_guard(victim);
        case 13:
            log("freeze the node");
            if (victim.frozen) return;
            victim.frozen = true;
            freeze_guard(victim, true);
            freeze_daemon(victim, true);
            freeze_db(victim, true);
            return until([this, &victim] {
                victim.frozen = false;
                freeze_db(victim, false);
                queue_.in(dice_.between(0, 5 * ms),
                          [this, &victim] { freeze_guard(victim, false); });
                queue_.in(dice_.between(0, 50 * ms),
                          [this, &victim] { freeze_daemon(victim, false); });
            });
        case 14:
            log("switchover at");
            for (auto& each : nodes_) {
                deliver(*each, each->daemon.life, ordered{order::switchover, n.name});
            }
            if (dice_.percent(40)) {
                // The daemon that hands over is killed on the way, and started at once.
                queue_.in(dice_.between(0, settings_.timing.request.count()),
                          [this, &victim] { kill_daemon(victim); });
                queue_.in(settings_.timing.request.count() * 5 / 4,
                          [this, &victim] { boot_daemon(victim); });
            }
            return;
        case 15:
            log("planned restart of the daemon of");
            deliver(victim, victim.daemon.life, ordered{order::restart, {}});
            queue_.in(settings_.timing.renew.count(), [this, &victim] { kill_daemon(victim); });
            return until([this, &victim] { boot_daemon(victim); });
        case 16:
            log("the key is deleted, seen from");
            consul_.remove(dice_);
            forged_ = true;
            return notify();
        case 17:
            log("an operator touches the key, seen from");
            consul_.touch(dice_);
            return notify();
        case 18:
            log("Consul is restored after it, seen from");
            consul_.snapshot();
            return until([this] {
                // Named hole: a term for a planned restart that a restore forgets.
                auto const& now = consul_.entry().record;
                if (healed_ || (now && now->term.count() > 0)) return;
                consul_.restore(dice_);
                forged_ = true;
                notify();
            });
        case 19:
            log("disk full at");
            victim.db.disk_full = true;
            return until([&victim] { victim.db.disk_full = false; });
        case 20:
            log("slow replication to");
            n.db.slow_stream = true;
            return until([&n] { n.db.slow_stream = false; });
        case 21: {
            log("bad promotions everywhere, and kill the database of");
            auto const how = dice_.below(3);
            for (auto& each : nodes_) {
                each->lost_answers = how == 0;
                each->fails_promotion = how == 1;
                each->slow_promotion = how == 2;
            }
            kill_db(victim);
            return until([this] {
                for (auto& each : nodes_)
                    each->lost_answers = each->fails_promotion = each->slow_promotion = false;
            });
        }
        case 22:
            log("a clock jumps forward at");
            victim.clock.jump(queue_.now(), length);
            arm_tick(victim);
            return guard_timer(victim);
        case 23:
            log("the link flaps at");
            for (ticks t = 0; t < length; t += settings_.timing.request.count()) {
                auto const down = dice_.percent(50);
                queue_.in(t, [this, v, consul, down] {
                    if (healed_) return;
                    for (std::size_t i = 0; i <= consul; ++i) {
                        if (i != v) cut_[i][v] = cut_[v][i] = down;
                    }
                });
            }
            return until([this, v, consul] {
                for (std::size_t i = 0; i <= consul; ++i)
                    cut_[i][v] = cut_[v][i] = false;
            });
        case 24:
            log("Consul is cut off and the peers are reached by turns from");
            return take_turns(v, 2 * length);
        case 28:
            log("isolate, then cut from Consul alone while the next primary dies,");
            for (std::size_t i = 0; i <= consul; ++i) {
                if (i != v) cut_[i][v] = cut_[v][i] = true;
            }
            queue_.in(settings_.unit() + length, [this, v] {
                if (healed_) return;
                for (std::size_t i = 0; i < nodes_.size(); ++i)
                    cut_[i][v] = cut_[v][i] = false;
                auto const& now = consul_.entry().record;
                if (now) kill_db(named(now->holder));
            });
            return queue_.in(2 * settings_.unit() + length,
                             [this, v, consul] { cut_[consul][v] = cut_[v][consul] = false; });
        case 29: {
            auto const other = dice_.below(nodes_.size());
            log("the replica " + nodes_[other]->name + " comes and goes at");
            return other != v ? lose_replica_twice(victim, other) : void();
        }
        case 25: {
            auto const& left_out = n.name == victim.name ? nodes_.back()->name : n.name;
            if (left_out == victim.name) return;
            log("cut from Consul and from " + left_out + ", which is no member any more,");
            auto const o = index_of(left_out);
            cut(v, consul);
            cut(consul, v);
            cut(v, o);
            cut(o, v);
            change_members(left_out);
            return until([this] { change_members({}); });
        }
        case 26:
            log("Consul is restored to before a takeover from");
            consul_.snapshot();
            for (std::size_t i = 0; i <= consul; ++i) {
                if (i == v) continue;
                cut(i, v);
                cut(v, i);
            }
            return queue_.in(length + dice_.between(0, settings_.unit()), [this] {
                auto const& now = consul_.entry().record;
                if (healed_ || (now && now->term.count() > 0)) return;
                consul_.restore(dice_);
                forged_ = true;
                notify();
            });
        case 27:
            log("slow replication to everybody, then the death of the database of");
            for (auto& each : nodes_)
                each->db.slow_stream = true;
            queue_.in(dice_.between(0, length), [this, &victim] {
                if (!healed_) kill_db(victim);
            });
            return until([this] {
                for (auto& each : nodes_)
                    each->db.slow_stream = false;
            });
        default:
            return;
    }
}

void world::heal() {
    healed_ = true;
    stale_ = false;
    note("weather", "heal");
    schedule_.push_back("heal");
    for (auto& row : cut_)
        std::fill(row.begin(), row.end(), false);
    consul_.available = true;
    change_members({});
    for (auto& each : nodes_) {
        auto& n = *each;
        n.lost_answers = n.fails_promotion = n.slow_promotion = false;
        n.db.disk_full = n.db.slow_stream = false;
        freeze_db(n, false);
        freeze_guard(n, false);
        freeze_daemon(n, false);
        boot_daemon(n);
        deliver(n, n.daemon.life, paused_for{});
    }
    notify();
}

/// Only where the core says that it needs an operator: nobody is in sync, or the key is lost.
void world::operator_helps() {
    for (auto& n : nodes_) {
        if (n->daemon.core.at >= stage::taking) return;
    }
    node* best = nullptr;
    for (auto& n : nodes_) {
        if (!n->db.running || n->daemon.core.wish) continue;
        auto const& entry = consul_.entry().record;
        if (entry && !entry->names(n->name)) continue;
        if (best == nullptr || n->db.log.size() > best->db.log.size()) best = n.get();
    }
    if (best == nullptr) return;
    auto const& record = consul_.entry().record;
    if (!record) {
        best->loss_accepted = true;
        deliver(*best, best->daemon.life, ordered{order::init, best->name});
        return;
    }
    auto put_back = false;
    for (auto const& n : nodes_) {
        auto const now = instant(nanoseconds(n->clock.read(queue_.now())));
        auto const& why = may_take(n->daemon.core, n->daemon.policy, now).why;
        put_back = put_back || why.starts_with("the entry was put back");
    }
    for (auto const& n : nodes_) {
        auto const* const entry = record->entry_of(n->name);
        auto const fit = entry != nullptr && n->db.running && entry->still_true(facts_of(*n));
        if (fit && !put_back) return;
    }
    best->loss_accepted = true;
    deliver(*best, best->daemon.life, ordered{order::promote, best->name, true});
}

}  // namespace bevmesh::sim
