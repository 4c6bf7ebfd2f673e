#include "failover/takeover.hpp"

#include "failover/candidates.hpp"
#include "failover/fencing.hpp"
#include "failover/lease.hpp"
#include "failover/survey.hpp"
#include "failover/sync.hpp"

namespace bevmesh::failover::takeover {

namespace {

constexpr unsigned proofs_max = 3;

bool facts_are_fresh(turn const& t) {
    auto const& d = t.s.database;
    return d.any && d.asked >= t.s.waiting_since && t.now < d.asked + 3 * t.p.probe;
}

/// What speaks against any automatic move now; empty: nothing.
std::string held_back(turn const& t, permission const& by) {
    if (t.s.wish || by.own_chain) return {};
    if (t.now < t.s.paused_until) return "the group is paused";
    if (t.now < t.s.not_before) return "a promotion failed a moment ago";
    if (by.died || (t.s.seen.record && t.s.seen.record->target == t.p.self)) return {};
    auto const blocked = t.s.automatic > t.s.acked && t.now < t.s.automatic_seen + t.p.block;
    if (blocked && by.elapsed) {
        return "there was an automatic failover within the last minutes: `failover ack` allows "
               "another one";
    }
    return {};
}

std::string against_taking(turn const& t, permission const& by, survey const& v) {
    if (!facts_are_fresh(t)) return "the database has not been looked at yet";
    if (!v.differing.empty()) return v.differing + " has another failover configuration";
    auto const other = t.s.seen.record && t.s.seen.record->configuration != t.p.configuration;
    if (other && !v.complete) {
        return "the lease was written under another failover configuration, and not every member "
               "answers";
    }
    if (!v.serving.empty()) return v.serving + " says that it serves";
    auto const* const record = t.s.seen.record ? &*t.s.seen.record : nullptr;
    auto report = own_report(t.s, t.p, t.now);
    report.ready = true;
    auto why = unfit(t.p.self, report, record, t.p, loss_accepted(t));
    if (why.empty() && !t.guard_is_live()) why = "it has no live guard";
    if (!why.empty()) return "this node is not fit: " + why;
    if (by.vacant && !t.broken(fault::free_is_permission)) return against_creating(t, v);
    return against_quorum(t, v);
}

/// A better one goes first, for a while.
std::string better_one(turn const& t, permission const& by) {
    auto const mine = by.own_chain || t.s.wish || by.vacant ||
                      (t.s.seen.record && t.s.seen.record->target == t.p.self);
    if (mine) return {};
    auto const patience = 2 * t.p.timing.renew + 2 * t.p.timing.request;
    if (t.now >= t.s.at_since + patience) return {};
    auto const all = candidates(t.s, t.p, t.now);
    return all.empty() || all.front().node == t.p.self || !all.front().fit ? std::string()
                                                                           : all.front().node;
}

std::vector<in_sync_entry> kept_in_sync(turn const& t, permission const& by) {
    std::vector<in_sync_entry> kept;
    if (t.s.seen.record && !loss_accepted(t) && t.p.sync != sync_mode::off) {
        for (auto const& e : t.s.seen.record->in_sync) {
            auto const old_primary = e.node == t.s.seen.record->holder && !by.own_chain;
            if (e.node != t.p.self && !old_primary) kept.push_back(e);
        }
    }
    kept.push_back(sync::entry_for(t.p.self, t.s.database.facts, t.p));
    return kept;
}

void take(turn const& t, permission const& by) {
    lease_record r;
    if (t.s.seen.record) r = *t.s.seen.record;
    auto const automatic = !t.s.wish && !by.own_chain && !by.vacant && r.target.empty();
    r.epoch = std::max(t.s.epoch_seen, r.epoch) + 1;
    r.in_sync = kept_in_sync(t, by);
    r.holder = t.p.self;
    // The set is copied, never changed by a take.
    if (!t.s.seen.record) r.members = t.p.members;
    r.state = lease_state::held;
    r.reason = by.why;
    r.target.clear();
    r.released_at = 0;
    r.term = milliseconds(0);
    r.published = t.broken(fault::publish_before_proof);
    r.database_died = false;
    if (automatic) r.automatic = r.epoch;
    if (t.s.wish) r.acked = r.epoch;
    t.s.permission = by.why;
    t.enter(stage::taking);
    lease::send(
        t, intent::take, std::move(r), t.s.seen.record ? t.s.seen.index : 0,
        t.broken(fault::publish_before_proof) ? endpoint_change::publish : endpoint_change::remove);
}

/// Nobody is fit: the endpoint goes, and promises are no longer given.
void mark_expired(turn const& t, permission const& by) {
    auto const& r = t.s.seen.record;
    if (!by.elapsed || !r || r->state != lease_state::held || t.s.marked_expired) return;
    if (!t.s.attempts.empty()) return;
    for (auto const& c : candidates(t.s, t.p, t.now)) {
        if (c.fit) return;
    }
    auto expired = *r;
    expired.state = lease_state::expired;
    expired.published = false;
    expired.reason = "nobody is fit to take it";
    lease::send(t, intent::expire, std::move(expired), t.s.seen.index, endpoint_change::remove);
}

/// A take that is no longer wanted may still commit: another write on the same link rules that out.
void resolve(turn const& t) {
    if (!t.s.seen.record || t.s.seen.index != t.s.attempts.back().base) return;
    auto same = *t.s.seen.record;
    auto const held = same.state == lease_state::held;
    if (held) same.state = lease_state::expired;
    same.published = false;
    lease::send(t, intent::expire, std::move(same), t.s.seen.index, endpoint_change::remove);
}

void look_observing(turn const& t) {
    if (!t.s.attempts.empty()) {  // a mark is out; one that had no answer is made again
        auto const& last = t.s.attempts.back();
        if (last.overdue && t.s.seen.heard > last.sent && !t.s.read.out(t.now)) resolve(t);
        return;
    }
    auto const by = may_take(t.s, t.p, t.now);
    if (!by.given) return;
    if (auto const why = held_back(t, by); !why.empty()) return t.say_once(weight::alarm, why);
    t.s.hook_passed = !t.p.hook_before || by.own_chain;
    t.enter(stage::consulting);
    t.s.database.probe_next = t.now;
}

/// The last writes of a planned move may have come after the last probe.
bool awaits_last_writes(turn const& t) {
    auto const& d = t.s.database;
    return t.s.seen.record && t.s.seen.record->target == t.p.self && d.asked < t.s.at_since &&
           d.probing.out(t.now);
}

void look_consulting(turn const& t) {
    auto const by = may_take(t.s, t.p, t.now);
    if (!by.given) return t.enter(stage::observing);
    if (t.s.hook.out(t.now) || awaits_last_writes(t)) return;
    auto const v = look_around(t);
    // Waiting for whoever is silent would hide that O is too short, or a lease too long.
    auto const hasty = t.broken(fault::observer_waits_lease) ||
                       t.broken(fault::counted_from_receipt) || t.broken(fault::old_wan_numbers);
    if (!v.over && !by.own_chain && !hasty) return;
    auto const why = against_taking(t, by, v);
    if (!why.empty()) {
        t.say_once(weight::alarm, "does not take " + t.p.group + ": " + why);
        mark_expired(t, by);
        // Asked anew, with fresh reports.
        if (t.now >= t.s.at_since + t.p.timing.renew + t.p.timing.request) {
            t.enter(stage::observing);
        }
        return;
    }
    if (!better_one(t, by).empty()) return;
    if (!t.s.hook_passed) {
        t.act(run_hook{t.begin(t.s.hook, t.p.hook), true, "takeover", t.p.self});
        return;
    }
    take(t, by);
}

/// A take that may still commit is repeated rather than left alone, so that it is resolved.
void look_taking(turn const& t) {
    if (t.s.attempts.empty()) return t.enter(stage::observing);
    auto const& last = t.s.attempts.back();
    if (!last.overdue || t.s.seen.heard <= last.sent || t.s.read.out(t.now)) return;
    auto const by = may_take(t.s, t.p, t.now);
    if (!by.given) return resolve(t);
    if (!facts_are_fresh(t)) return;
    auto const* const record = t.s.seen.record ? &*t.s.seen.record : nullptr;
    auto report = own_report(t.s, t.p, t.now);
    report.ready = true;
    auto const fit = unfit(t.p.self, report, record, t.p, loss_accepted(t)).empty();
    if (!fit) return resolve(t);
    take(t, by);
}

/// A restored entry can have made our take commit although a later epoch is known: then nobody can
/// tell who is in sync, and an operator must.
bool later_epoch_is_known(turn const& t) {
    auto const who = knows_later_epoch(t);
    if (who.empty()) return false;
    t.s.hold->record.in_sync.clear();
    fencing::begin(t, afterwards::release,
                   who + " knows of a later epoch: the entry was put back by somebody");
    return true;
}

void look_streams(turn const& t) {
    // A take that committed late is looked at again with fresh eyes.
    auto const late =
        t.s.hold->by_read || t.s.at_since > t.s.hold->renewed + t.p.timing.request / 2;
    if (late && !look_around(t).over) return;
    if (later_epoch_is_known(t)) return;
    if (t.s.streams.out(t.now)) return;
    std::vector<std::string> nodes{t.p.self};
    for (auto const& e : t.s.hold->record.in_sync)
        add(nodes, e.node);
    // A database may need longer than a request to Consul: an answer to a question that was asked
    // anew meanwhile would count for nothing, again and again.
    t.act(end_streams{t.begin(t.s.streams, t.p.hang), std::move(nodes)});
}

void look_arming(turn const& t) {
    auto const& facts = t.s.database.facts;
    auto const* const entry = t.s.hold->record.entry_of(t.p.self);
    if (t.s.process.empty()) {
        if (facts.process.empty() || entry == nullptr || !entry->still_true(facts)) {
            return fencing::begin(t, afterwards::release,
                                  "the database is not the one that was to be promoted");
        }
        t.s.process = facts.process;
    }
    if (t.s.armed == t.s.process) t.enter(stage::promoting);
}

/// It is primary: what it was asked before may tell of the replica that it was.
void promoted(turn const& t) {
    t.s.promotion_open = false;
    t.s.waiting_since = t.now;
    t.enter(stage::proving);
}

void look_promoting(turn const& t) {
    auto const& h = *t.s.hold;
    if (t.s.promotion.out(t.now)) return;
    auto const& d = t.s.database;
    auto const known = d.asked >= t.s.promotion.sent && d.facts.process == t.s.process;
    if (t.s.promotion_open && known && d.facts.role == role::primary) {
        t.s.promotion_loose = t.s.process;
        return promoted(t);
    }
    if (t.now >= t.s.at_since + t.p.promote) {
        return fencing::begin(t, afterwards::release, "the promotion does not come to an end");
    }
    auto const renewed =
        (h.renewed >= h.promotable && !h.inherited && h.index > t.s.released_index) ||
        t.broken(fault::guard_keeps_lease);
    if (!t.valid() || !renewed || t.s.armed.empty()) return;
    if (t.s.promotion.op != 0 && !known) return;  // its outcome is not known yet
    if (t.s.promotion_open) t.s.promotion_loose = t.s.process;
    t.s.promotion_open = true;
    t.s.gate = {};
    t.act(promote{t.begin(t.s.promotion, t.p.promote),
                  t.broken(fault::promote_any_process) ? std::string() : t.s.process,
                  h.valid_until - t.p.timing.fence, sync::first_gate(h.record, t.p)});
}

void look_proving(turn const& t) {
    if (t.s.proof.out(t.now) || t.s.armed.empty()) return;
    t.act(prove{t.begin(t.s.proof, t.p.hang), t.s.process});
}

void look_published(turn const& t) {
    if (!t.s.hold->record.published) return;
    t.enter(stage::serving);
    t.s.stable_since = t.now;
    t.s.failures = 0;
    t.s.database.write_failures = 0;
    t.say(weight::info,
          "serves " + t.p.group + ", epoch " + std::to_string(t.s.hold->record.epoch));
    if (t.p.kind == kind::postgres) {
        t.act(checkpoint{t.begin(t.s.check, t.p.promote)});
    }
    if (t.p.hook_after) {
        t.act(run_hook{t.begin(t.s.hook, t.p.hook), false, "takeover", t.p.self});
    }
}

void promotion_failed(turn const& t, std::string const& why) {
    ++t.s.failures;
    auto const pause = t.p.timing.observer * (1U << std::min(t.s.failures, 5U));
    t.s.not_before = t.now + pause;
    fencing::begin(t, afterwards::release, "the promotion failed: " + why);
}

void absorb_promotion(turn const& t, carried_out const& e) {
    if (t.s.at != stage::promoting) return;
    if (e.result == outcome::done) {
        t.s.gate.known = true;
        t.s.gate.now = sync::first_gate(t.s.hold->record, t.p);
        t.s.database.probe_next = t.now;
        promoted(t);
    } else if (e.result == outcome::refused) {
        t.s.promotion_open = false;
        promotion_failed(t, e.detail);
    } else {
        t.s.promotion.op = 1;  // over, but its outcome is not known: a probe tells
        t.s.promotion.give_up = t.now;
        t.s.database.probe_next = t.now;
    }
}

void absorb_proof(turn const& t, carried_out const& e) {
    if (t.s.at != stage::proving) return;
    if (e.result == outcome::done) return t.enter(stage::publishing);
    if (e.result == outcome::refused && ++t.s.database.write_failures >= proofs_max) {
        promotion_failed(t, "no write goes through: it " + std::string(name(e.why)));
    }
}

void absorb_hook(turn const& t, carried_out const& e) {
    if (t.s.at != stage::consulting) return;
    if (e.result == outcome::done) {
        t.s.hook_passed = true;
    } else {
        t.s.not_before = t.now + 2 * t.p.timing.observer;
        t.say(weight::alarm,
              "the hook before a takeover of " + t.p.group + " forbids it: " + e.detail);
        t.enter(stage::observing);
    }
}

}  // namespace

bool absorb(turn const& t, carried_out const& e) {
    auto& s = t.s;
    if (s.streams.take(e.op)) {
        if (s.at == stage::ending_streams && e.result == outcome::done && s.hold) {
            t.enter(stage::arming);
        }
        return true;
    }
    if (s.promotion.take(e.op)) return absorb_promotion(t, e), true;
    if (s.proof.take(e.op)) return absorb_proof(t, e), true;
    if (s.check.take(e.op)) return true;
    if (!s.moving && s.hook.take(e.op)) return absorb_hook(t, e), true;
    return false;
}

void look(turn const& t) {
    if (t.s.at == stage::observing) look_observing(t);
    if (t.s.at == stage::consulting) look_consulting(t);
    if (t.s.at == stage::taking) look_taking(t);
    if (t.s.at == stage::ending_streams) look_streams(t);
    if (t.s.at == stage::arming) look_arming(t);
    if (t.s.at == stage::promoting) look_promoting(t);
    if (t.s.at == stage::proving) look_proving(t);
    if (t.s.at == stage::publishing) look_published(t);
}

}  // namespace bevmesh::failover::takeover
