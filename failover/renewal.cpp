// The holder's own writes: what each says, on which link of the chain, and when.
#include "failover/lease.hpp"
#include "failover/sync.hpp"

namespace bevmesh::failover::lease {

namespace {

/// What the entry has to say from now on.
lease_record wanted(turn const& t) {
    auto r = t.s.hold->record;
    r.state = lease_state::held;
    r.holder = t.p.self;
    r.members = t.p.members;
    r.in_sync = sync::wanted(t);
    r.published = t.s.at == stage::publishing || t.s.at == stage::serving;
    if (t.broken(fault::publish_before_proof)) r.published = t.s.at >= stage::arming;
    r.term = t.s.restart_asked ? std::chrono::duration_cast<milliseconds>(t.p.planned_term)
                               : milliseconds(0);
    r.acked = std::max(r.acked, t.s.acked);
    r.target.clear();
    r.database_died = false;
    r.released_at = 0;
    if (t.s.moving && !t.s.moving->id.empty()) r.order_done = t.s.moving->id;
    return r;
}

/// The link that the next renewal is conditioned on; empty: none may be written now.
std::optional<std::uint64_t> next_base(turn const& t) {
    auto const& h = *t.s.hold;
    auto const& seen = t.s.seen;
    if (!h.foreign) return h.index;
    if (!seen.unreadable.empty() || t.now >= h.valid_until) return std::nullopt;
    if (!seen.record) return 0;
    auto const ours = seen.record->holder == t.p.self || seen.record->epoch < h.record.epoch;
    if (!ours || t.now < *h.foreign + observer_wait(*seen.record, t.p)) return std::nullopt;
    return seen.index;
}

/// While an answer is awaited, or the one that never came has not been looked for, nothing is sent.
bool may_send(turn const& t) {
    if (t.s.attempts.empty()) return true;
    auto const& last = t.s.attempts.back();
    return last.overdue && t.s.hold->checked > last.sent;
}

/// A longer term is given back to the guard first: observers wait from the shorter record on.
bool guard_follows(turn const& t) {
    if (t.s.hold->record.term.count() == 0 || t.s.restart_asked) return true;
    auto const until = t.now + t.p.timing.lease;
    if (t.s.armed_until <= until) return true;
    if (!t.s.extend.out(t.now)) {
        t.s.hold->valid_until = std::min(t.s.hold->valid_until, until);
        t.s.extend_until = t.s.hold->valid_until;
        t.act(extend_guard{t.begin(t.s.extend, t.p.timing.fence),
                           t.s.extend_until,
                           true,
                           {t.s.hold->index, t.s.hold->record, t.leads()}});
    }
    return false;
}

}  // namespace

void look_renewal(turn const& t) {
    if (!t.holds() || !may_send(t) || !t.guard_is_live()) return;
    if (t.s.at > stage::promoting && t.s.armed.empty()) return;
    auto const base = next_base(t);
    if (!base) return;
    auto& h = *t.s.hold;
    auto next = wanted(t);
    auto same = next;
    same.write_id = h.record.write_id;
    same.guard_id = h.record.guard_id;
    same.configuration = h.record.configuration;
    auto const urgent = same != h.record || h.foreign || h.inherited ||
                        (h.by_read && sync::wants_relaxing(t)) || !t.s.attempts.empty();
    if (!urgent && t.now < h.last_sent + t.p.timing.renew) return;
    if (t.s.restart_asked && h.record.term.count() > 0) return;
    if (!guard_follows(t)) return;
    auto change = endpoint_change::keep;
    if (next.published != h.record.published || h.foreign) {
        change = next.published ? endpoint_change::publish : endpoint_change::remove;
    }
    if (h.foreign) next.epoch = t.s.epoch_seen + 1;
    if (h.record.term.count() > 0 && next.term.count() == 0) {
        h.valid_until = std::min(h.valid_until, t.now + t.p.timing.lease);
    }
    h.last_sent = t.now;
    send(t, intent::renew, std::move(next), *base, change);
}

}  // namespace bevmesh::failover::lease
