// What happened, as the driver tells it to the core.
//
// Answers carry the `op` of the action that they answer. An action has at most one answer; the core
// has its own limits, so that an answer that never comes, comes late or comes twice does no harm.
// "unknown" is never turned into success or failure by the driver: it says `unknown`.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "failover/facts.hpp"
#include "failover/record.hpp"

namespace bevmesh::failover {

/// What the guard kept of a lease that the daemon before this one held.
struct inheritance {
    instant valid_until{};
    lease_memory memory;  // of the last extend_guard or arm_guard
    std::string process;  // that it holds
};

/// The daemon runs. `incarnation` is random and new with each start: it makes write ids unique.
struct started {
    std::string incarnation;
    std::string guard_id;  // empty: no guard answered; guard_seen follows when one does
    std::optional<inheritance> inherited;
};
struct tick {};  // asked for by next_wake(); a tick that is late tells that the daemon was frozen

// Consul

/// The entry as a blocking query (op 0) or read_record (its op, ?consistent) saw it.
struct record_seen {
    std::uint64_t op = 0;
    std::uint64_t index = 0;
    std::optional<lease_record> record;  // empty: there is no such key
    std::string unreadable = {};         // the entry is there and is no record: says why
};
struct read_failed {
    std::uint64_t op = 0;
};
enum class outcome {
    done,     // committed / carried out, and answered so
    refused,  // certainly without effect: a 409, a refused connection, a vetoed hook
    unknown,  // no answer within the limit, or an answer that tells nothing
};
struct write_answered {
    std::string write_id;
    outcome result = outcome::unknown;
    std::uint64_t index = 0;  // done: the entry's new ModifyIndex
    std::string detail = {};
    /// Refused, as the entry was not what it builds on: what comes twice is committed, then this.
    bool conflict = false;
};

// Peers

struct promise_asked {
    std::string from;   // as the peer's certificate says, not its message
    std::string round;  // given back in the answer
    std::uint64_t epoch = 0;
};
struct promise_answered {
    std::string from;
    std::string round;
    bool granted = false;
    std::string why = {};
};
struct peer_answered {
    std::uint64_t op = 0;
    std::string node;
    std::optional<member_report> report;  // empty: no answer within R
};
/// A member's database changed just now: what is known of it and of ours is old. It carries no
/// fact, so that one that is lost, late or forged costs a look at most.
struct nudged {
    std::string from;
};

// Guard

struct guard_seen {
    std::string guard_id;  // empty: it does not answer
};
/// For arm_guard, extend_guard and forget_guard.
struct guard_answered {
    std::uint64_t op = 0;
    outcome result = outcome::unknown;
    std::string guard_id = {};
    std::string detail = {};
};

// Database

struct probed {
    std::uint64_t op = 0;
    instant asked{};  // the facts are not older than this
    database_facts facts;
};
/// By pidfd, the engine's `die` or the unit's end: the container's init, or all of its cgroup.
struct database_died {
    std::string process;
};
/// For end_streams, promote, prove, drain, resume_writes, set_gate, follow, start_database,
/// checkpoint, quarantine, resync and hook.
struct carried_out {
    std::uint64_t op = 0;
    outcome result = outcome::unknown;
    position at = 0;                // set_gate: read after it took effect. drain: the last position
    condition why = condition::ok;  // prove: what is wrong with the database
    bool stopped = false;           // drain: the process has ended (PostgreSQL's fast stop)
    bool diverged = false;          // follow: it holds what the upstream lacks
    bool behind = false;            // follow: it lacks what the upstream no longer has
    std::string detail = {};
};
/// fence: the named process takes no write any more, read back, or is dead and reaped.
struct fenced {
    std::uint64_t op = 0;
    outcome result = outcome::unknown;
    bool dead = false;
    std::string detail = {};
};

// Operator

enum class order {
    switchover,  // to `node`; holder only
    promote,     // this node, with accept_data_loss; still needs permission
    init,        // this node, when the key is missing
    ack,         // ends the damping block
    restart,     // the daemon is about to be restarted: commit policy::planned_term
};
struct ordered {
    order what = order::switchover;
    std::string node;
    bool accept_data_loss = false;
    std::string id = {};  // of a scheduled order: it is carried out once
};
/// The pause of the group or of the mesh, as what is left of it now; zero: none.
struct paused_for {
    nanoseconds left{0};
};

using event = std::variant<started, tick, record_seen, read_failed, write_answered, promise_asked,
                           promise_answered, peer_answered, nudged, guard_seen, guard_answered,
                           probed, database_died, carried_out, fenced, ordered, paused_for>;

/// One line a value, as traces and the journal show it.
[[nodiscard]] std::string to_string(event const& e);
[[nodiscard]] std::string_view name(outcome o) noexcept;
[[nodiscard]] std::string_view name(order o) noexcept;

}  // namespace bevmesh::failover
