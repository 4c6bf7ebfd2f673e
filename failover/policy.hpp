// What one node is told about one group: checked once, then only read.
//
// The inequalities are those of the protocol; a profile that breaks one is refused with a sentence
// that shows the sum. All durations are on CLOCK_BOOTTIME.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failover/facts.hpp"
#include "failover/faults.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::failover {

struct timing {
    nanoseconds renew;         // h: from one renewal to the next
    nanoseconds request;       // R: the limit of one request
    nanoseconds fence;         // F: so long fencing may take
    nanoseconds lease;         // L: a committed attempt is good for so long after it was sent
    nanoseconds promise;       // p: without a renewal for so long, promises are asked for
    nanoseconds kill;          // K: from the guard's waking to a dead database
    nanoseconds observer;      // O: so long an observer waits
    double rate_error = 0.05;  // r

    friend bool operator==(timing const&, timing const&) = default;
};

/// `tailnet`, `lan` or `wan`.
[[nodiscard]] std::optional<timing> profile(std::string_view name);

enum class kind { redis, postgres };
enum class sync_mode {
    off,     // asynchronous, bounded by lag_max
    on,      // waits for the replicas that stream, else alone
    strict,  // never alone
};

struct policy {
    std::string group;
    std::string self;
    std::vector<std::string> members;  // of the group, self included
    failover::kind kind = kind::redis;
    failover::timing timing{};
    sync_mode sync = sync_mode::on;
    std::string preferred;  // empty: none
    int priority = 100;     // of self; 0: never promoted
    /// 0: every in-sync replica acknowledges a write. k: any k of them do, and a taker compares
    /// itself with n - k + 1.
    std::size_t any_of = 0;
    position lag_max = 16'777'216;  // a replica that lacks more is not raised (off: not promoted)
    std::optional<nanoseconds> failback_after;     // empty: only by hand
    nanoseconds block = std::chrono::minutes(10);  // damping after an automatic take
    nanoseconds probe = milliseconds(500);         // between two probes
    nanoseconds hang = seconds(3);                 // a database that is silent so long is hung
    unsigned write_failures_max = 3;
    nanoseconds drain = seconds(5);     // a planned switchover gives up after it
    nanoseconds promote = seconds(10);  // a promotion that takes longer has failed
    nanoseconds resync = std::chrono::hours(6);
    nanoseconds hook = seconds(10);
    bool hook_before = false;
    bool hook_after = false;
    nanoseconds planned_term{0};  // a planned restart of the daemon leaves the lease for so long
    std::string configuration;    // hash of all that must be equal on every member
    faults broken;                // tests only: which rule is broken on purpose

    friend bool operator==(policy const&, policy const&) = default;
};

/// The first thing that is wrong, with the sum; empty: nothing. `profile` names it in the text.
[[nodiscard]] std::string problem_of(timing const& t, std::string_view profile);
/// The longest planned_term for which an observer's `term + O` is still long enough.
[[nodiscard]] nanoseconds longest_term(timing const& t);
/// Checks, fills in `configuration`; errc::bad_input with a sentence.
[[nodiscard]] result<policy> checked(policy wanted, std::string_view profile);

}  // namespace bevmesh::failover
