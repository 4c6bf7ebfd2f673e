#include "failover/rejoin.hpp"

namespace bevmesh::failover::rejoin {

namespace {

using phase = rejoining::phase;

/// Between two tries to copy or to follow; to start.
constexpr nanoseconds longest_pause = std::chrono::minutes(1);
constexpr nanoseconds longest_start_pause = seconds(10);

nanoseconds pause_after(unsigned failures, turn const& t, nanoseconds longest) {
    return std::min(t.p.probe * (1U << std::min(failures, 16U)), longest);
}

/// A primary without a lease: left behind, or put there by somebody.
void look_stray(turn const& t) {
    if (t.s.fencing.out(t.now)) return;
    auto const& seen = t.s.seen;
    // Without a key this may be a primary that bevmesh is to adopt: the election decides.
    if (seen.any && !seen.record && seen.unreadable.empty()) return;
    if (!seen.any && t.now < t.s.waiting_until) return;
    t.say_once(weight::alarm, "the database of " + t.p.group + " is primary without a lease");
    t.s.process.clear();
    t.act(fence{t.begin(t.s.fencing, t.p.timing.fence),
                t.s.database.facts.process,
                t.s.fence_failed,
                {},
                "it is primary without a lease"});
}

void look_start(turn const& t) {
    if (t.s.start.out(t.now) || t.now < t.s.start_next) return;
    // A resync stops and starts it itself; after one that failed, a start would do what is left of
    // it at once.
    auto const waits = t.s.rejoin.at == phase::resync && t.now < t.s.rejoin.next;
    if (t.s.discard.out(t.now) || waits) return;
    t.s.start_next = t.now + t.p.probe;
    auto const& record = t.s.seen.record;
    auto const serves = record && record->state == lease_state::held && record->published;
    // PostgreSQL's may begin with a copy of everything.
    auto const limit = t.p.kind == kind::postgres ? t.p.resync : t.p.hang;
    t.act(start_database{t.begin(t.s.start, limit), serves ? record->holder : std::string()});
}

void look_follow(turn const& t, std::string const& upstream) {
    auto const& facts = t.s.database.facts;
    auto const there = facts.upstream == upstream && facts.streaming;
    if (there || t.s.repoint.out(t.now) || t.now < t.s.follow_next) return;
    t.s.follow_next = t.now + t.p.probe;
    t.s.following = upstream;
    t.act(follow{t.begin(t.s.repoint, t.p.hang), facts.process, upstream});
}

void look_rejoin(turn const& t) {
    auto& r = t.s.rejoin;
    auto& e = r.at == phase::quarantine ? t.s.copy : t.s.discard;
    if (e.out(t.now) || t.now < r.next) return;
    if (r.at == phase::quarantine) {
        t.act(quarantine{t.begin(e, t.p.resync), r.upstream});
    } else {
        t.act(resync{t.begin(e, t.p.resync), r.upstream});
    }
}

void absorb_follow(turn const& t, carried_out const& e) {
    t.s.database.probe_next = t.now;
    auto& r = t.s.rejoin;
    if (e.result != outcome::refused || r.at != phase::none || t.s.at != stage::observing ||
        !t.s.seen.record) {
        return;
    }
    auto const& holder = t.s.seen.record->holder;
    // What was compared with another one says nothing of this one.
    if (t.s.following != holder) return;
    auto const it = "the database of " + t.p.group;
    if (e.diverged) {
        r.at = phase::quarantine;
        r.upstream = holder;
        t.say(weight::alarm, it + " has writes that " + holder + " lacks: they go to quarantine");
    } else if (e.behind && t.s.seen.record->entry_of(t.p.self) == nullptr) {
        // In sync it would be a copy that counts. The holder drops who does not stream; and what
        // only follows, and lacks what is gone, has nothing of its own.
        r.at = phase::resync;
        r.upstream = holder;
        t.say(weight::alarm,
              it + " lacks writes that " + holder + " no longer keeps for it: it is made anew");
    }
}

/// A disk that is full or a directory that is not there stays so for a while: a copy of everything
/// is not begun again at once, and whoever could help is told why.
void note_setback(turn const& t, carried_out const& e) {
    auto& r = t.s.rejoin;
    if (r.at == phase::none) return;
    r.next = t.now + pause_after(r.failures++, t, longest_pause);
    auto const what = r.at == phase::quarantine
                          ? "cannot copy what the database of " + t.p.group + " holds to quarantine"
                          : "cannot make the database of " + t.p.group + " follow " + r.upstream;
    t.say_once(weight::alarm, what + (e.detail.empty() ? ", without a reason" : ": " + e.detail));
}

}  // namespace

bool absorb(turn const& t, carried_out const& e) {
    auto& r = t.s.rejoin;
    if (t.s.start.take(e.op)) {
        t.s.database.probe_next = t.now;
        auto const failed = e.result != outcome::done;
        if (failed)
            t.s.start_next = t.now + pause_after(t.s.start_failures, t, longest_start_pause);
        t.s.start_failures = failed ? t.s.start_failures + 1 : 0;
        return true;
    }
    if (t.s.repoint.take(e.op)) return absorb_follow(t, e), true;
    if (t.s.copy.take(e.op)) {
        if (e.result != outcome::done) return note_setback(t, e), true;
        if (r.at == phase::quarantine) r = {phase::resync, r.upstream};
        return true;
    }
    if (t.s.discard.take(e.op)) {
        t.s.database.probe_next = t.now;
        if (e.result != outcome::done) return note_setback(t, e), true;
        t.say(weight::info, "the database of " + t.p.group + " follows " + r.upstream);
        r = {};
        return true;
    }
    return false;
}

void look(turn const& t) {
    if (t.s.at > stage::taking) return;
    auto const& d = t.s.database;
    if (!d.any || d.asked < t.s.waiting_since) return;
    if (d.facts.process.empty()) {
        if (d.facts.condition == condition::refused) look_start(t);
        return;
    }
    if (d.facts.role == role::primary) return look_stray(t);
    t.s.fence_failed = false;
    if (t.s.at != stage::observing || d.facts.condition == condition::foreign_data) return;
    auto const& seen = t.s.seen;
    auto const& record = seen.record;
    if (!record || record->state != lease_state::held || record->holder == t.p.self ||
        !record->names(t.p.self)) {
        return;
    }
    // Not only once it is published: a primary that waits for a second copy is not, before.
    auto const peer = t.s.peers.find(record->holder);
    auto const promoted = peer != t.s.peers.end() && peer->second.report &&
                          peer->second.report->database.role == role::primary;
    if (!record->published && !promoted) return;
    if (t.s.rejoin.at != phase::none && t.s.rejoin.upstream != record->holder) {
        if (t.s.rejoin.at == phase::resync && t.s.discard.out(t.now)) return;
        t.s.rejoin = {};
    }
    if (t.s.rejoin.at != phase::none) return look_rejoin(t);
    look_follow(t, record->holder);
}

}  // namespace bevmesh::failover::rejoin
