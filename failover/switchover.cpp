#include "failover/switchover.hpp"

#include "failover/candidates.hpp"
#include "failover/fencing.hpp"

namespace bevmesh::failover::switchover {

namespace {

void start(turn const& t, std::string const& target, std::string id, std::string const& why) {
    t.s.moving = switching{target, std::move(id), !t.p.hook_before, t.now};
    t.say(weight::warning, "moves " + t.p.group + " to " + target + ": " + why);
}

void look_failback(turn const& t) {
    auto const& wanted = t.p.preferred;
    if (!t.p.failback_after || wanted.empty() || wanted == t.p.self) return;
    if (t.now < t.s.stable_since + *t.p.failback_after) return;
    if (t.now < t.s.paused_until) return;
    if (t.s.automatic > t.s.acked && t.now < t.s.automatic_seen + t.p.block) return;
    if (!refusal(t.s, t.p, t.now, wanted).empty()) return;
    start(t, wanted, {}, "it is the preferred node");
}

void look_serving(turn const& t) {
    auto& m = *t.s.moving;
    if (t.s.hook.out(t.now)) return;
    if (!m.hooked) {
        t.act(run_hook{t.begin(t.s.hook, t.p.hook), true, "switchover", m.target});
        return;
    }
    if (auto const why = refusal(t.s, t.p, t.now, m.target); !why.empty()) {
        t.say(weight::warning, "does not move " + t.p.group + ": " + why);
        t.s.moving.reset();
        return;
    }
    t.enter(stage::withdrawing);
}

void give_up(turn const& t, std::string const& why) {
    t.say(weight::warning, "the switchover of " + t.p.group + " ends where it began: " + why);
    t.s.moving.reset();
    t.s.stable_since = t.now;
    t.s.paused = true;
    t.enter(stage::proving);
}

/// Again until it is confirmed: the server itself would let them go on after half a minute only.
void look_paused(turn const& t) {
    if (!t.leads() || t.s.at == stage::draining) t.s.paused = false;
    auto& r = t.s.resumption;
    if (!t.s.paused || r.out(t.now) || t.now < r.sent + t.p.timing.request) return;
    t.act(resume_writes{t.begin(r, t.p.timing.fence), t.s.process});
}

void absorb_drain(turn const& t, carried_out const& e) {
    if (t.s.at != stage::draining || !t.s.moving) return;
    if (e.result == outcome::done) {
        return fencing::begin_planned(t, t.s.moving->target, e.at, e.stopped);
    }
    if (e.result == outcome::refused && !e.stopped) return give_up(t, e.detail);
    fencing::begin(t, afterwards::resume, "the switchover failed: " + e.detail, e.stopped);
}

}  // namespace

std::string refusal(state const& s, policy const& p, instant now, std::string const& target) {
    if (s.at != stage::serving) return "this node does not serve";
    if (target == p.self) return target + " is the primary";
    if (s.hold->foreign) return "the lease is not the one that we wrote";
    // The guard may not know of the last write: whether the endpoint names us is not known either.
    if (s.hold->inherited) return "the lease that this daemon found is not renewed yet";
    for (auto const& c : candidates(s, p, now)) {
        if (c.node != p.self && c.heard) {
            auto const& other = s.peers.at(c.node).report;
            if (other && other->configuration != p.configuration) {
                return c.node + " has another failover configuration";
            }
        }
        if (c.node == target) return c.fit ? std::string() : target + " is not fit: " + c.why;
    }
    return target + " is no member";
}

void absorb(turn const& t, ordered const& e) {
    switch (e.what) {
        case order::switchover: {
            if (!e.id.empty() && t.s.hold && t.s.hold->record.order_done == e.id) return;
            auto why =
                t.s.moving ? "another switchover is under way" : refusal(t.s, t.p, t.now, e.node);
            if (!e.id.empty() && t.now < t.s.paused_until) why = "the group is paused";
            if (!why.empty()) {
                auto text = "refuses to move " + t.p.group + " to " + e.node + ": " + why;
                // What was scheduled is tried again.
                return e.id.empty() ? t.say(weight::warning, std::move(text))
                                    : t.say_once(weight::warning, std::move(text));
            }
            return start(t, e.node, e.id, e.id.empty() ? "an operator's word" : "as scheduled");
        }
        case order::promote:
        case order::init:
            if (t.s.at > stage::consulting) {
                return t.say(weight::warning, "refuses: this node holds or takes the lease");
            }
            t.s.wish = e;
            t.s.wish_until = t.now + 4 * t.p.timing.observer;
            return;
        case order::ack:
            t.s.acked = std::max(t.s.acked, t.s.automatic);
            return;
        case order::restart:
            if (t.s.at != stage::serving || t.p.planned_term.count() == 0) return;
            t.s.restart_asked = true;
            t.s.restart_until = t.now + t.p.timing.lease;
            return;
    }
}

bool absorb(turn const& t, carried_out const& e) {
    if (t.s.drainage.take(e.op)) return absorb_drain(t, e), true;
    if (t.s.resumption.take(e.op)) {
        if (e.result == outcome::done) t.s.paused = false;
        return true;
    }
    if (!t.s.moving || !t.s.hook.take(e.op)) return false;
    if (e.result == outcome::done) {
        t.s.moving->hooked = true;
    } else {
        t.say(weight::warning, "the hook before the switchover forbids it: " + e.detail);
        t.s.moving.reset();
        t.s.stable_since = t.now;
    }
    return true;
}

void look(turn const& t) {
    look_paused(t);
    if (t.s.wish && t.now >= t.s.wish_until) t.s.wish.reset();
    if (t.s.restart_asked && t.now >= t.s.restart_until) t.s.restart_asked = false;
    if (t.s.at == stage::serving && !t.s.moving) look_failback(t);
    if (!t.s.moving) return;
    if (t.s.at == stage::serving) return look_serving(t);
    if (t.s.at == stage::withdrawing) {
        if (!t.s.hold->record.published) t.enter(stage::draining);
    }
    if (t.s.at == stage::draining && t.s.drainage.op == 0) {
        t.act(drain{t.begin(t.s.drainage, t.p.drain + t.p.timing.request), t.s.process,
                    t.s.moving->target, t.p.drain});
    } else if (t.s.at == stage::draining && !t.s.drainage.out(t.now)) {
        fencing::begin(t, afterwards::resume, "the switchover does not come to an end");
    }
}

}  // namespace bevmesh::failover::switchover
