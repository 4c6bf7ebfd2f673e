#include "failover/lease.hpp"

#include "failover/sync.hpp"

namespace bevmesh::failover::lease {

namespace {

constexpr std::size_t attempts_max = 32;

nanoseconds term_of(lease_record const& r, policy const& p) {
    return r.term.count() > 0 ? nanoseconds(r.term) : p.timing.lease;
}

/// After the chain has moved on, nothing that was conditioned on an earlier link can commit.
void move_head(turn const& t, attempt const& a, std::uint64_t index, bool by_read) {
    auto& h = *t.s.hold;
    h.index = index;
    h.record = a.record;
    h.by_read = by_read;
    h.inherited = false;
    h.foreign.reset();
    t.s.attempts.clear();
    t.s.gate.doubted.clear();
    t.s.read.op = 0;  // an answer that is under way may be older than this
}

void prolong(turn const& t, attempt const& a) {
    auto& h = *t.s.hold;
    auto const from = t.broken(fault::counted_from_receipt) ? t.now : a.sent;
    t.s.promised_only = false;
    h.renewed = std::max(h.renewed, a.sent);
    auto const promised = h.basis > a.sent ? h.basis + t.p.timing.lease : instant{};
    h.valid_until = std::max(from + term_of(a.record, t.p), promised);
    h.basis = std::max(h.basis, a.sent);
}

void renewed(turn const& t, attempt const& a, std::uint64_t index, bool by_read) {
    if (!t.s.hold) return;
    auto const newest = t.s.attempts.empty() || t.s.attempts.back().record == a.record;
    move_head(t, a, index, by_read);
    if (t.leaves()) return;
    if (t.s.at < stage::ending_streams) return;
    prolong(t, a);
    t.s.gate.may_relax = newest && !by_read;
}

void taken(turn const& t, attempt const& a, std::uint64_t index, bool by_read) {
    t.s.hold.emplace();
    move_head(t, a, index, by_read);
    auto& h = *t.s.hold;
    h.renewed = h.basis = h.promotable = a.sent;
    h.valid_until =
        (t.broken(fault::counted_from_receipt) ? t.now : a.sent) + term_of(a.record, t.p);
    t.s.marked_expired = false;
    t.s.gate = {};
    t.s.wish.reset();
    t.enter(stage::ending_streams);
    t.say(weight::warning, "took the lease of " + t.p.group + ", epoch " +
                               std::to_string(a.record.epoch) + ": " + a.record.reason);
}

void released(turn const& t, attempt const& a, std::uint64_t index) {
    t.say(weight::warning, "released " + t.p.group + ": " + a.record.reason);
    t.s.released_index = index;
    t.s.hold.reset();
    t.s.attempts.clear();
    t.s.leave = {};
    t.enter(stage::observing);
}

void committed(turn const& t, attempt const& found, std::uint64_t index, bool by_read) {
    auto const a = found;
    if (a.record.epoch > t.s.epoch_seen) {
        t.s.epoch_seen = a.record.epoch;
        t.s.epoch_holder = t.p.self;
    }
    auto& seen = t.s.seen;
    if (!by_read) {
        seen.witnessed = true;
        seen.any = true;
        seen.index = index;
        seen.record = a.record;
        seen.unreadable.clear();
        seen.changed = seen.heard = t.now;
    }
    switch (a.what) {
        case intent::renew:
            return renewed(t, a, index, by_read);
        case intent::take:
            return taken(t, a, index, by_read);
        case intent::release:
            return released(t, a, index);
        case intent::expire:
            t.s.attempts.clear();
            t.s.marked_expired = a.record.state == lease_state::expired;
            if (!t.s.marked_expired) return;
            t.say(weight::alarm,
                  "marked the lease of " + t.p.group + " expired: nobody is fit to take it");
            return;
    }
}

attempt* attempt_with(state& s, std::string_view write_id) {
    for (auto it = s.attempts.rbegin(); it != s.attempts.rend(); ++it) {
        if (it->record.write_id == write_id) return &*it;
    }
    return nullptr;
}

void note(turn const& t, record_seen const& e) {
    auto& seen = t.s.seen;
    // In a gap another one could have taken the lease, and a restore could have hidden it: what is
    // heard after one is heard for the first time.
    auto const lost = seen.any && out_of_touch(t.s, t.p, t.now);
    auto const same = seen.any && seen.index == e.index &&
                      seen.record.has_value() == e.record.has_value() &&
                      (!e.record || seen.record->write_id == e.record->write_id) &&
                      seen.unreadable == e.unreadable;
    seen.heard = t.now;
    if (same && !lost) return;
    auto const follows = seen.any && !lost && seen.record && e.record &&
                         seen.record->epoch == e.record->epoch && seen.index < e.index &&
                         e.record->epoch >= t.s.epoch_seen &&
                         (seen.record->state == lease_state::held || seen.witnessed);
    seen.witnessed = follows;
    seen.any = true;
    seen.index = e.index;
    seen.record = e.record;
    seen.unreadable = e.unreadable;
    seen.changed = t.now;
    if (!e.record) return;
    seen.members = e.record->members;
    if (e.record->epoch > t.s.epoch_seen) {
        t.s.epoch_seen = e.record->epoch;
        t.s.epoch_holder = e.record->holder;
    }
    t.s.acked = std::max(t.s.acked, e.record->acked);
    if (e.record->automatic > t.s.automatic) {
        t.s.automatic = e.record->automatic;
        t.s.automatic_seen = t.now;
    }
    if (e.record->state == lease_state::held) t.s.marked_expired = false;
}

/// What was conditioned on something that is no longer there cannot commit.
void drop_outdated(turn const& t, record_seen const& e) {
    auto const id = e.record ? e.record->write_id : std::string();
    std::erase_if(t.s.attempts,
                  [&](attempt const& a) { return a.base != e.index || a.base_id != id; });
}

bool is_head(holding const& h, record_seen const& e) {
    return e.record && e.index == h.index && e.record->write_id == h.record.write_id;
}

/// The daemon before had this written and ended before the guard was told: the same guard held the
/// lease under the same epoch, so the chain goes on from here. It prolongs nothing.
bool left_behind(turn const& t, record_seen const& e) {
    auto const& h = *t.s.hold;
    return h.inherited && t.now < h.valid_until && e.record && e.index > h.index &&
           e.record->state == lease_state::held && e.record->holder == t.p.self &&
           e.record->guard_id == h.record.guard_id && e.record->epoch == h.record.epoch;
}

void continue_from(turn const& t, record_seen const& e) {
    drop_outdated(t, e);
    auto& h = *t.s.hold;
    h.index = e.index;
    h.record = *e.record;
    h.checked = t.now;
    h.foreign.reset();
}

/// Somebody else's content where our chain should be; only a consistent read says so.
void found_foreign(turn const& t, record_seen const& e) {
    auto& h = *t.s.hold;
    if (t.broken(fault::ownership_by_name) && e.record && e.record->holder == t.p.self) {
        h.index = e.index;
        h.record = *e.record;
        t.s.attempts.clear();
        return;
    }
    drop_outdated(t, e);
    h.checked = t.now;
    if (t.s.at < stage::ending_streams) {
        t.s.hold.reset();
        if (t.s.attempts.empty()) t.enter(stage::observing);
        return;
    }
    if (!h.foreign && !t.leaves()) {
        t.say(weight::alarm, "the lease of " + t.p.group + " is not the one that we wrote");
    }
    if (!h.foreign || t.s.seen.changed == t.now) h.foreign = t.now;
}

void judge_attempts(turn const& t, record_seen const& e, bool consistent) {
    if (e.record) {
        auto* const ours = attempt_with(t.s, e.record->write_id);
        if (ours != nullptr && e.index != ours->base) {
            return committed(t, *ours, e.index, true);
        }
    }
    if (t.s.hold) {
        if (is_head(*t.s.hold, e)) {
            if (!consistent) return;
            t.s.hold->foreign.reset();
            t.s.hold->checked = t.now;
        } else if (consistent && left_behind(t, e)) {
            continue_from(t, e);
        } else if (consistent) {
            found_foreign(t, e);
        } else if (t.s.read.op == 0) {
            t.s.read_next = t.now;
        }
        return;
    }
    if (!consistent) return;
    drop_outdated(t, e);
    if (t.s.attempts.empty() && t.s.at == stage::taking) t.enter(stage::observing);
}

}  // namespace

void inherit(turn const& t, inheritance const& left) {
    if (left.memory.record.holder != t.p.self || t.now >= left.valid_until) return;
    auto& h = t.s.hold.emplace();
    h.index = left.memory.index;
    h.record = left.memory.record;
    h.valid_until = left.valid_until;
    h.basis = h.renewed = left.valid_until - term_of(h.record, t.p);
    h.inherited = true;
    h.promotable = t.now;
    t.s.epoch_seen = h.record.epoch;
    t.s.process = t.s.armed = left.process;
    t.s.armed_until = left.valid_until;
    t.s.read_next = t.now;
    t.enter(left.memory.serving ? stage::serving : stage::proving);
    t.s.paused = true;  // the daemon before may have died while it drained
    t.say(weight::info, "took over the lease of " + t.p.group + " from the guard");
}

void absorb(turn const& t, record_seen const& e) {
    auto const consistent = t.s.read.take(e.op);
    if (e.op != 0 && !consistent) return;  // asked before something that we know by now
    note(t, e);
    judge_attempts(t, e, consistent);
}

void absorb(turn const& t, read_failed const& e) {
    if (t.s.read.take(e.op)) t.s.read_next = t.now + t.p.timing.renew;
}

void absorb(turn const& t, write_answered const& e) {
    auto* const a = attempt_with(t.s, e.write_id);
    if (t.broken(fault::late_answer_unfences) && t.leaves() && e.result == outcome::done &&
        e.write_id == t.s.hold->record.write_id) {
        t.s.attempts.clear();
        t.s.process = t.s.leave.process;
        t.s.released_index = 0;
        t.s.fencing.op = 0;
        t.enter(stage::promoting);
        return;
    }
    if (a == nullptr) return;
    switch (e.result) {
        case outcome::done:
            return committed(t, *a, e.index, false);
        case outcome::unknown:
            a->overdue = true;
            break;
        case outcome::refused:
            if (e.conflict) sync::doubt(t, a->record);
            std::erase_if(t.s.attempts,
                          [&](attempt const& each) { return each.record.write_id == e.write_id; });
            if (t.s.at == stage::taking && t.s.attempts.empty()) t.enter(stage::observing);
            break;
    }
    t.s.read_next = t.now;
}

void send(turn const& t, intent what, lease_record record, std::uint64_t base,
          endpoint_change endpoint) {
    if (t.s.attempts.size() >= attempts_max) t.s.attempts.erase(t.s.attempts.begin());
    auto const again = t.broken(fault::same_write_id) && !t.s.attempts.empty();
    record.write_id = again ? t.s.attempts.back().record.write_id
                            : t.s.incarnation + "." + std::to_string(++t.s.last_write);
    record.guard_id = t.s.guard_id;
    record.configuration = t.p.configuration;
    auto const unconditional = what == intent::take && t.broken(fault::take_without_cas);
    auto const& at_base = t.s.hold && t.s.hold->index == base         ? t.s.hold->record.write_id
                          : t.s.seen.record && t.s.seen.index == base ? t.s.seen.record->write_id
                                                                      : std::string();
    t.s.attempts.push_back({what, record, base, at_base, t.now, false});
    t.act(write_record{base, std::move(record), endpoint, unconditional});
}

void look(turn const& t) {
    auto overdue = false;
    for (auto& a : t.s.attempts) {
        if (t.now >= a.sent + t.p.timing.request + t.p.timing.request / 4) a.overdue = true;
        overdue = overdue || a.overdue;
    }
    auto const silent = t.now - t.s.seen.heard > 2 * t.p.timing.renew;
    auto const wanted = overdue || !t.s.seen.any || silent || t.s.read_next == t.now ||
                        (t.s.hold && t.s.hold->foreign);
    if (wanted && !t.s.read.out(t.now) && t.now >= t.s.read_next) {
        t.act(read_record{t.begin(t.s.read, t.p.timing.request)});
        t.s.read_next = t.now + t.p.timing.renew;
    }
}

bool take_is_open(state const& s) {
    return std::any_of(s.attempts.begin(), s.attempts.end(), [](attempt const& a) {
        return a.what == intent::take || a.what == intent::expire;
    });
}

bool out_of_touch(state const& s, policy const& p, instant now) {
    return !s.seen.any || now - s.seen.heard > 2 * p.timing.renew + 2 * p.timing.request;
}

nanoseconds observer_wait(lease_record const& r, policy const& p) {
    if (p.broken(fault::no_observer_wait)) return nanoseconds(0);
    auto const o = p.broken(fault::observer_waits_lease) ? p.timing.lease : p.timing.observer;
    return r.term.count() > 0 ? o + nanoseconds(r.term) : o;
}

}  // namespace bevmesh::failover::lease
