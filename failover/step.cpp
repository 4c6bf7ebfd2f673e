#include "failover/step.hpp"

#include "failover/fencing.hpp"
#include "failover/health.hpp"
#include "failover/lease.hpp"
#include "failover/peers.hpp"
#include "failover/promises.hpp"
#include "failover/rejoin.hpp"
#include "failover/switchover.hpp"
#include "failover/sync.hpp"
#include "failover/takeover.hpp"

namespace bevmesh::failover {

namespace {

struct absorber {
    turn const& t;

    void operator()(started const& e) const {
        t.s = {};
        t.s.incarnation = e.incarnation;
        t.s.guard_id = e.guard_id;
        t.s.now = t.now;
        t.s.waiting_since = t.now;
        t.s.waiting_until = t.now + t.p.timing.observer;
        t.s.at_since = t.s.read_next = t.s.database.probe_next = t.s.stable_since = t.now;
        if (e.inherited) lease::inherit(t, *e.inherited);
    }
    void operator()(tick const&) const {}
    void operator()(record_seen const& e) const { lease::absorb(t, e); }
    void operator()(read_failed const& e) const { lease::absorb(t, e); }
    void operator()(write_answered const& e) const { lease::absorb(t, e); }
    void operator()(promise_asked const& e) const { promises::absorb(t, e); }
    void operator()(promise_answered const& e) const { promises::absorb(t, e); }
    void operator()(peer_answered const& e) const { peers::absorb(t, e); }
    void operator()(nudged const& e) const { peers::absorb(t, e); }
    void operator()(guard_seen const& e) const { fencing::absorb(t, e); }
    void operator()(guard_answered const& e) const { fencing::absorb(t, e); }
    void operator()(probed const& e) const { health::absorb(t, e); }
    void operator()(database_died const& e) const { health::absorb(t, e); }
    void operator()(carried_out const& e) const {
        if (takeover::absorb(t, e) || switchover::absorb(t, e) || sync::absorb(t, e)) return;
        (void)rejoin::absorb(t, e);
    }
    void operator()(fenced const& e) const {
        // A stray primary is fenced without a lease.
        if (t.s.at < stage::fencing && t.s.fencing.op == e.op) {
            t.s.fence_failed = e.result != outcome::done;
            t.s.database.probe_next = t.now;
        }
        fencing::absorb(t, e);
    }
    void operator()(ordered const& e) const { switchover::absorb(t, e); }
    void operator()(paused_for const& e) const { t.s.paused_until = t.now + e.left; }
};

/// A clock that went backwards, or a tick that is late: what was known is old, and nothing is taken
/// for a full O.
void mind_the_clock(turn const& t, instant before, instant wake) {
    if (t.now >= before && t.now <= wake + t.p.timing.request) return;
    auto const backwards = t.now < before;
    t.s.waiting_since = t.now;
    t.s.waiting_until = t.now + t.p.timing.observer;
    for (auto& [node, peer] : t.s.peers) {
        peer.answers = false;
        peer.asked_next = t.now;
        if (backwards) peer.promised_until = std::max(peer.promised_until, t.s.waiting_until);
    }
    if (!backwards) return;
    t.say(weight::alarm, "the boottime clock went backwards");
    if (t.holds()) fencing::begin(t, afterwards::resume, "the clock went backwards");
    // Instants of before mean nothing any more: the chain counts as old.
    if (t.s.hold) t.s.hold->basis = instant{};
    t.s.seen.changed = t.s.seen.heard = t.now;
}

void look(turn const& t) {
    lease::look(t);
    fencing::look_deadline(t);
    health::look(t);
    switchover::look(t);
    takeover::look(t);
    fencing::look(t);
    rejoin::look(t);
    sync::look(t);
    lease::look_renewal(t);
    promises::look(t);
    fencing::look_guard(t);
    peers::look(t);
}

}  // namespace

decision step(state before, event const& what, instant now, policy const& p) {
    decision d{std::move(before), {}};
    auto& s = d.next;
    turn const t{s, p, now, d.actions};
    auto const was = s.now;
    auto const wake = s.wake;
    s.now = now;
    if (!s.incarnation.empty()) mind_the_clock(t, was, wake);
    std::visit(absorber{t}, what);
    // A stage that was entered is looked at in the same step: a few rounds, until nothing moves.
    for (auto rounds = 0; rounds < 6; ++rounds) {
        auto const at = s.at;
        auto const ops = s.last_op;
        look(t);
        if (s.at == at && s.last_op == ops) break;
    }
    s.wake = next_wake(s, p);
    return d;
}

instant next_wake(state const& s, policy const& p) {
    auto next = s.now + p.probe;
    auto const by = [&](instant when) {
        if (when > s.now) next = std::min(next, when);
    };
    for (auto const* e : {&s.read, &s.arm, &s.extend, &s.forget, &s.streams, &s.fencing,
                          &s.promotion, &s.proof, &s.drainage, &s.start, &s.repoint, &s.hook,
                          &s.copy, &s.discard, &s.gate.setting, &s.database.probing}) {
        if (e->op != 0) by(e->give_up);
    }
    for (auto const& a : s.attempts) {
        if (!a.overdue) by(a.sent + p.timing.request + p.timing.request / 4);
    }
    if (s.paused)
        by(s.resumption.op != 0 ? s.resumption.give_up : s.resumption.sent + p.timing.request);
    by(s.read_next);
    by(s.database.probe_next);
    by(s.waiting_until);
    if (s.hold) {
        by(s.hold->last_sent + p.timing.renew);
        by(s.hold->valid_until - p.timing.fence);
        by(s.hold->basis + p.timing.promise);
        if (s.hold->foreign) by(*s.hold->foreign + p.timing.observer);
    }
    if (!s.round.id.empty()) by(s.round.sent + p.timing.request);
    if (s.seen.record) by(s.seen.changed + p.timing.observer + nanoseconds(s.seen.record->term));
    for (auto const& [node, peer] : s.peers) {
        by(peer.question.op != 0 ? peer.question.give_up : peer.asked_next);
        by(peer.promised_until);
    }
    for (auto const& [node, since] : s.gate.silent)
        by(since + p.timing.request);
    if (s.at == stage::consulting) by(s.at_since + p.timing.request);
    return next;
}

}  // namespace bevmesh::failover
