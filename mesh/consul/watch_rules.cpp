#include "mesh/consul/watch_rules.hpp"

#include <algorithm>

namespace bevmesh::consul {

watch_query watch_rules::next(instant now) {
    watch_query q;
    q.how.index = index_;
    q.how.wait = index_ == 0 ? milliseconds(0) : policy_.wait;
    q.how.stale = policy_.stale && !ask_leader_;
    // A token bucket kept as time: each query uses one pace, and the clock gives it back.
    if (now > credit_at_) {
        credit_used_ = std::max(nanoseconds(0), credit_used_ - (now - credit_at_));
        credit_at_ = now;
    }
    nanoseconds const whole = policy_.pace * policy_.burst;
    credit_used_ += policy_.pace;
    auto const owed = std::max(nanoseconds(0), credit_used_ - whole);
    q.not_before = std::max(not_before_, now + owed);
    return q;
}

watch_verdict watch_rules::on_answer(answer<bool> const& facts, bool same_content, instant now,
                                     random_source& random) {
    bool const was_stale = policy_.stale && !ask_leader_;
    ask_leader_ = false;
    if (!facts.known_leader || (was_stale && facts.last_contact > policy_.stale_limit)) {
        // One that was asked as any server may be behind alone: the next query goes to the leader.
        ask_leader_ = was_stale;
        if (!was_stale) pause(now, random);
        return watch_verdict::distrust;
    }
    if (facts.filtered) {
        index_ = 0;
        pause(now, random);
        return watch_verdict::filtered;
    }
    failures_ = 0;
    not_before_ = instant{};
    auto const index = std::max<std::uint64_t>(facts.index, 1);
    bool const went_back = index < index_;
    bool const timed_out = had_news_ && index == index_;
    index_ = went_back ? 0 : index;
    if (had_news_ && (timed_out || same_content)) return watch_verdict::unchanged;
    had_news_ = true;
    return watch_verdict::news;
}

void watch_rules::on_failure(instant now, random_source& random) {
    ask_leader_ = false;
    pause(now, random);
}

void watch_rules::pause(instant now, random_source& random) {
    not_before_ = now + backoff_delay(policy_.retry, failures_, random);
    ++failures_;
}

}  // namespace bevmesh::consul
