// The rules of a blocking query, pure: what to ask next, when, and whether an answer is news.
//
// From Consul's api-docs/features/blocking and what consul-template learned (watch/view.go):
// an index that went back starts over; an index of 0 counts as 1, or the loop would be busy; the
// same index is a time-out and no change; a new index with the same content is no change either;
// answers are taken at a bounded rate; after a failure the last good data stand and the next try
// backs off; a stale answer is believed only if its server knows the leader and heard of it lately;
// an answer that ACLs have filtered is no data, for what is missing in it may exist.
#pragma once

#include <cstdint>

#include "mesh/base/backoff.hpp"
#include "mesh/base/time.hpp"
#include "mesh/consul/answer.hpp"

namespace bevmesh::consul {

struct watch_policy {
    milliseconds wait{300'000};       // how long the server may hold a query; at most 10 min
    milliseconds pace{100};           // one query in that time, after
    unsigned burst = 2;               // so many at once
    bool stale = false;               // any server may answer, if
    milliseconds stale_limit{5'000};  // it heard of the leader so lately
    backoff_policy retry{milliseconds(200), milliseconds(30'000)};
};

/// The next query and when it may be sent.
struct watch_query {
    blocking how;
    instant not_before{};
};

enum class watch_verdict {
    news,       // take it
    unchanged,  // nothing happened
    distrust,   // no leader, or too stale: keep what you have
    filtered,   // the token may not see all of it: keep what you have, and tell
};

class watch_rules {
public:
    explicit watch_rules(watch_policy policy) : policy_(policy) {}

    [[nodiscard]] watch_query next(instant now);
    /// `same_content`: as in the last answer that was news. Call after every answer.
    [[nodiscard]] watch_verdict on_answer(answer<bool> const& facts, bool same_content, instant now,
                                          random_source& random);
    void on_failure(instant now, random_source& random);

    [[nodiscard]] unsigned failures() const noexcept { return failures_; }

private:
    void pause(instant now, random_source& random);

    watch_policy policy_;
    std::uint64_t index_ = 0;  // 0: ask without blocking
    bool had_news_ = false;
    bool ask_leader_ = false;  // the last answer was too stale
    unsigned failures_ = 0;
    instant not_before_{};
    nanoseconds credit_used_{0};  // of the token bucket, in time; burst * pace is all of it
    instant credit_at_{};
};

}  // namespace bevmesh::consul
