#include "failover/guard/custody.hpp"

namespace bevmesh::failover::guard {

using state = guard::phase;

instant custody::kill_time(guard::term const& t) noexcept {
    return to_instant(t.deadline_ns) - nanoseconds(t.margin_ns);
}

bool custody::acceptable(instant now, guard::term const& until) noexcept {
    auto const limit = std::chrono::duration_cast<nanoseconds>(horizon).count();
    if (until.margin_ns < 0 || until.margin_ns > limit || until.deadline_ns <= 0) return false;
    return kill_time(until) > now && to_instant(until.deadline_ns) <= now + nanoseconds(limit);
}

verdict custody::may_arm(instant now, victim_id const& victim, guard::term const& until) {
    if (due(now) || phase_ == state::killing) return verdict::too_late;
    if (phase_ == state::armed && victim != victim_) return verdict::other_victim;
    return acceptable(now, until) ? verdict::done : verdict::out_of_range;
}

void custody::arm(victim_id const& victim, guard::term const& until) noexcept {
    bool const again = phase_ == state::armed && until.deadline_ns <= term_.deadline_ns;
    if (!again) term_ = until;
    phase_ = state::armed;
    victim_ = victim;
    cause_ = death::none;
    struck_ = dead_ = instant();
}

verdict custody::extend(instant now, guard::term const& until, bool shorten) {
    if (due(now)) return verdict::too_late;
    switch (phase_) {
        case state::idle:
            return verdict::not_armed;
        case state::killing:
            return verdict::too_late;
        case state::dead:
            return verdict::already_dead;
        case state::armed:
            break;
    }
    if (kill_time(until) <= kill_at() && !shorten) return verdict::done;
    // Moved back into the past is still obeyed: the next look at the clock kills.
    if (!acceptable(now, until) && !(shorten && kill_time(until) <= now))
        return verdict::out_of_range;
    term_ = until;
    return due(now) ? verdict::too_late : verdict::done;
}

verdict custody::forget(instant now) {
    if (due(now) || phase_ == state::killing) return verdict::too_late;
    *this = custody();
    return verdict::done;
}

verdict custody::fence(instant now) {
    if (due(now)) return verdict::done;
    if (phase_ == state::idle) return verdict::not_armed;
    if (phase_ == state::armed) {
        phase_ = state::killing;
        cause_ = death::asked;
    }
    return verdict::done;
}

bool custody::due(instant now) {
    if (phase_ != state::armed || now < kill_at()) return false;
    phase_ = state::killing;
    cause_ = death::deadline;
    return true;
}

void custody::struck(instant now) noexcept {
    if (struck_ == instant()) struck_ = now;
}

void custody::died(instant now) noexcept {
    if (!holds_a_process()) return;
    if (phase_ == state::armed) cause_ = death::by_itself;
    phase_ = state::dead;
    dead_ = now;
}

void custody::restore(guard::phase was, victim_id const& victim,
                      guard::term const& until) noexcept {
    phase_ = was;
    victim_ = victim;
    term_ = until;
    cause_ = was == state::killing ? death::deadline : death::none;
}

}  // namespace bevmesh::failover::guard
