#include "failover/promises.hpp"

#include "failover/lease.hpp"

namespace bevmesh::failover::promises {

namespace {

/// Whoever may take: the members known to be committed, and those of every write that may yet be.
std::vector<std::string> everybody_else(turn const& t) {
    std::vector<std::string> nodes;
    if (t.broken(fault::set_not_union)) {
        nodes = t.p.members;
    } else {
        nodes = t.s.hold->record.members;
        for (auto const& a : t.s.attempts) {
            for (auto const& member : a.record.members)
                add(nodes, member);
        }
        if (t.s.hold->foreign && t.s.seen.record) {
            for (auto const& member : t.s.seen.record->members)
                add(nodes, member);
        }
    }
    std::erase(nodes, t.p.self);
    return nodes;
}

bool serves(turn const& t) {
    if (t.broken(fault::reviving_promise) && t.s.hold && t.s.at == stage::observing) return true;
    return t.s.at >= stage::publishing && t.s.at <= stage::withdrawing;
}

void complete(turn const& t) {
    auto& h = *t.s.hold;
    auto const sent = t.s.round.sent;
    t.s.round.id.clear();
    auto const late = t.now >= h.valid_until;
    if (late && !t.broken(fault::reviving_promise)) return;
    if (t.s.at == stage::observing) t.enter(stage::arming);  // only by a fault
    h.valid_until = std::max(h.valid_until, sent + t.p.timing.lease);
    h.basis = std::max(h.basis, sent);
    t.s.promised_only = t.broken(fault::guard_without_promises);
    t.say_once(weight::warning,
               "Consul does not commit; every other member promised to take nothing");
}

std::string refusal(turn const& t) {
    if (lease::take_is_open(t.s)) return "it has started to take the lease itself";
    if (t.s.marked_expired) return "it has marked the lease expired";
    if (t.holds()) return "it holds the lease itself";
    return {};
}

}  // namespace

void absorb(turn const& t, promise_asked const& e) {
    if (e.epoch > t.s.epoch_seen) {
        t.s.epoch_seen = e.epoch;
        t.s.epoch_holder = e.from;
    }
    auto const why = refusal(t);
    if (why.empty()) t.s.peers[e.from].promised_until = t.now + t.p.timing.observer;
    t.act(answer_promise{e.from, e.round, why.empty(), why});
}

void absorb(turn const& t, promise_answered const& e) {
    auto& round = t.s.round;
    if (round.id.empty() || !t.s.hold || !serves(t)) return;
    if (round.id != e.round && !t.broken(fault::mixed_rounds)) return;
    if (!e.granted) return;
    std::erase(round.waiting, e.from);
    if (round.waiting.empty() || t.broken(fault::any_promise)) complete(t);
}

void look(turn const& t) {
    auto& round = t.s.round;
    if (!t.s.hold || !serves(t) || !t.guard_is_live()) return;
    if (t.s.armed.empty() && t.s.at != stage::observing) return;
    auto const& h = *t.s.hold;
    if (t.now < h.basis + t.p.timing.promise) {
        round.id.clear();
        return;
    }
    if (!round.id.empty() && t.now < round.sent + t.p.timing.request) return;
    round.id = t.s.incarnation + "." + std::to_string(++t.s.last_round);
    round.sent = t.now;
    auto waiting = everybody_else(t);
    // Grants of the round before stay, so that members that answer in turns would do.
    if (!t.broken(fault::mixed_rounds) || round.waiting.empty()) round.waiting = waiting;
    if (waiting.empty()) return complete(t);
    t.act(ask_promises{round.id, h.record.epoch, std::move(waiting)});
}

instant bound_until(state const& s) {
    instant until{};
    for (auto const& [node, peer] : s.peers)
        until = std::max(until, peer.promised_until);
    return until;
}

}  // namespace bevmesh::failover::promises
