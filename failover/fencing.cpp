#include "failover/fencing.hpp"

#include "failover/lease.hpp"

namespace bevmesh::failover::fencing {

namespace {

lease_memory memory_of(turn const& t) {
    return {t.s.hold->index, t.s.hold->record, t.s.at >= stage::publishing};
}

std::string upstream_of(turn const& t) {
    if (t.s.leave.planned) return t.s.leave.target;
    auto const& record = t.s.seen.record;
    return record && record->holder != t.p.self && record->state == lease_state::held
               ? record->holder
               : std::string();
}

void look_fencing(turn const& t) {
    if (t.s.leave.dead) return t.enter(stage::forgetting);
    if (t.broken(fault::release_before_fence) && t.s.leave.then == afterwards::release) {
        t.act(fence{t.begin(t.s.fencing, t.p.timing.fence), t.s.leave.process, t.s.leave.kill,
                    upstream_of(t), t.s.leave.why});
        return t.enter(stage::forgetting);
    }
    if (t.s.fencing.out(t.now)) return;
    // What could not be confirmed once is killed.
    auto const again = t.s.fencing.op != 0;
    t.s.leave.kill = t.s.leave.kill || again;
    t.act(fence{t.begin(t.s.fencing, t.p.timing.fence), t.s.leave.process, t.s.leave.kill,
                upstream_of(t), t.s.leave.why});
    t.s.following = upstream_of(t);
}

void forgotten(turn const& t) {
    t.s.armed.clear();
    t.s.process.clear();
    t.s.armed_until = {};
    t.s.forget.op = 0;
    if (t.s.leave.then == afterwards::release) return t.enter(stage::releasing);
    if (t.s.leave.then == afterwards::nothing) t.s.hold.reset();
    // To resume, the chain is kept: a take conditioned on it shows that nobody took in between.
    t.s.attempts.clear();
    t.s.leave = {};
    t.s.read_next = t.now;
    t.enter(stage::observing);
}

void look_forgetting(turn const& t) {
    if (t.broken(fault::guard_keeps_lease) || t.now > t.s.leave.guard_until) return forgotten(t);
    if (t.s.forget.out(t.now)) return;
    t.act(forget_guard{t.begin(t.s.forget, t.p.timing.fence)});
}

lease_record release_of(turn const& t) {
    auto r = t.s.hold->record;
    r.state = lease_state::released;
    r.target = t.s.leave.target;
    r.released_at = t.s.leave.at;
    r.reason = t.s.leave.why;
    r.published = false;
    r.term = milliseconds(0);
    r.database_died = t.s.leave.dead && !t.s.leave.planned;
    r.acked = std::max(r.acked, t.s.acked);
    if (t.s.moving && !t.s.moving->id.empty()) r.order_done = t.s.moving->id;
    return r;
}

void look_releasing(turn const& t) {
    auto& h = *t.s.hold;
    if (h.foreign) {
        t.s.hold.reset();
        t.s.attempts.clear();
        t.s.leave = {};
        return t.enter(stage::observing);
    }
    auto const open = std::find_if(t.s.attempts.begin(), t.s.attempts.end(),
                                   [](attempt const& a) { return a.what == intent::release; });
    if (open != t.s.attempts.end()) {
        auto const& last = t.s.attempts.back();
        if (!last.overdue || h.checked <= last.sent) return;
    } else if (std::any_of(t.s.attempts.begin(), t.s.attempts.end(),
                           [](attempt const& a) { return !a.overdue; })) {
        return;  // a renewal's answer tells which index to release
    }
    t.s.released_index = std::max(t.s.released_index, h.index);
    lease::send(t, intent::release, release_of(t), h.index, endpoint_change::remove);
}

}  // namespace

void begin(turn const& t, afterwards then, std::string why, bool dead, bool kill) {
    if (!t.s.hold) return;
    if (t.leaves()) {
        t.s.leave.dead = t.s.leave.dead || dead;
        t.s.leave.kill = t.s.leave.kill || kill;
        return;
    }
    auto& leave = t.s.leave;
    leave = {};
    leave.then = then;
    leave.why = std::move(why);
    leave.process = t.s.process;
    leave.dead = dead;
    // A promotion that may still be on its way to the process would undo a gentle fence.
    leave.kill =
        kill || t.s.promotion_open || (!t.s.process.empty() && t.s.promotion_loose == t.s.process);
    leave.since = t.now;
    leave.guard_until = std::max(t.s.armed_until, t.s.hold->valid_until);
    t.s.fencing.op = t.s.forget.op = t.s.extend.op = t.s.arm.op = 0;
    t.s.round.id.clear();
    t.s.moving.reset();
    // Before the promotion was ordered there is nothing to fence.
    auto const never_led = t.s.at < stage::promoting && t.s.database.facts.role != role::primary;
    t.say(weight::warning, (never_led ? "gives up the lease of " : "stops writes of ") + t.p.group +
                               ": " + leave.why);
    t.enter(never_led ? stage::forgetting : stage::fencing);
}

void begin_planned(turn const& t, std::string const& target, position at, bool dead) {
    auto const id = t.s.moving ? t.s.moving->id : std::string();
    begin(t, afterwards::release, "a switchover to " + target, dead);
    t.s.leave.planned = true;
    t.s.leave.target = target;
    t.s.leave.at = at;
    if (!id.empty()) t.s.hold->record.order_done = id;
}

void absorb(turn const& t, fenced const& e) {
    if (!t.s.fencing.take(e.op)) return;
    if (e.result != outcome::done) {
        t.s.leave.kill = true;
        t.say_once(weight::alarm, "could not fence " + t.p.group + ": " + e.detail);
        return;
    }
    // What the last probe said of it is over.
    if (t.s.database.facts.role == role::primary) t.s.database.facts.role = role::replica;
    if (e.dead) {
        t.s.database.facts = {};
        t.s.database.probe_next = t.now;
    }
    t.s.leave.dead = t.s.leave.dead || e.dead;
    t.s.promotion_open = t.s.promotion_open && !e.dead;
    if (t.s.at == stage::fencing) t.enter(stage::forgetting);
}

void absorb(turn const& t, guard_seen const& e) {
    if (e.guard_id == t.s.guard_id) return;
    t.s.guard_id = e.guard_id;
    t.s.armed.clear();
    t.s.extend.op = t.s.arm.op = t.s.forget.op = 0;
    t.say(e.guard_id.empty() ? weight::alarm : weight::info,
          e.guard_id.empty() ? "the guard of " + t.p.group + " does not answer"
                             : "a guard of " + t.p.group + " answers");
}

void absorb(turn const& t, guard_answered const& e) {
    if (t.s.forget.take(e.op)) {
        if (e.result == outcome::done && t.s.at == stage::forgetting) forgotten(t);
        return;
    }
    if (t.s.arm.take(e.op)) {
        if (e.result == outcome::done) {
            t.s.armed = t.s.arming;
            t.s.armed_until = t.s.extend_until;
        } else if (e.result == outcome::refused && t.s.at == stage::arming) {
            begin(t, afterwards::release, "the guard cannot hold the database: " + e.detail);
        }
        return;
    }
    if (!t.s.extend.take(e.op)) return;
    if (e.result == outcome::done) t.s.armed_until = t.s.extend_until;
    if (e.result == outcome::refused) t.s.armed.clear();
}

void absorb_death(turn const& t, std::string const& process) {
    if (t.s.leaves_process(process)) t.s.leave.dead = true;
}

void look_deadline(turn const& t) {
    if (!t.holds()) return;
    auto const& h = *t.s.hold;
    auto const& seen = t.s.seen;
    if (h.foreign && seen.record && seen.record->holder != t.p.self &&
        seen.record->epoch >= h.record.epoch) {
        return begin(t, afterwards::nothing, seen.record->holder + " holds the lease");
    }
    if (t.broken(fault::no_self_fence)) return;
    if (t.now >= h.valid_until - t.p.timing.fence) {
        begin(t, afterwards::resume, "the lease runs out: neither Consul nor every member answers");
    }
}

void look(turn const& t) {
    if (t.s.at == stage::fencing) look_fencing(t);
    if (t.s.at == stage::forgetting) look_forgetting(t);
    if (t.s.at == stage::releasing) look_releasing(t);
}

void look_guard(turn const& t) {
    if (!t.holds() || t.s.guard_id.empty() || t.s.extend.out(t.now) || t.s.arm.out(t.now)) return;
    auto const until = t.s.hold->valid_until;
    if (t.now >= until - t.p.timing.fence) return;
    auto const& process = t.s.process;
    if (t.s.armed.empty()) {
        if (t.s.at < stage::arming || process.empty()) return;
        t.s.arming = process;
        t.s.extend_until = until;
        t.act(arm_guard{t.begin(t.s.arm, t.p.timing.fence), process, until, memory_of(t)});
        return;
    }
    if (t.s.armed_until >= until && !t.s.extend.op) return;
    if (t.s.promised_only) return;
    t.s.extend_until = until;
    t.act(extend_guard{t.begin(t.s.extend, t.p.timing.fence), until, false, memory_of(t)});
}

}  // namespace bevmesh::failover::fencing
