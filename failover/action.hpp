// What the driver has to do, as the core tells it.
//
// Actions are performed in the order given, each without waiting for the one before, except that
// those to one database, and those to the guard, keep their order. Every action may come again
// (with a new op) and must bear it. A driver adds no condition of its own beyond those written
// here.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "failover/event.hpp"

namespace bevmesh::failover {

// Consul

/// GET the entry with ?consistent, within R. Answer: record_seen or read_failed.
struct read_record {
    std::uint64_t op = 0;
};
enum class endpoint_change {
    keep,     // not part of the transaction
    publish,  // `GROUP-primary` names record.holder
    remove,   // `GROUP-primary` is not in the catalog
};
/// One transaction: the entry by compare-and-set on `base` (0: only if absent), and the endpoint.
/// Within R. Answer: write_answered with record.write_id.
struct write_record {
    std::uint64_t base = 0;
    lease_record record;
    endpoint_change endpoint = endpoint_change::keep;
    bool unconditional = false;  // only by a fault of the simulator
};

// Peers. Each within R.

/// To every node of `nodes` at once. Answers: promise_answered from each that answers.
struct ask_promises {
    std::string round;
    std::uint64_t epoch = 0;
    std::vector<std::string> nodes;
};
struct answer_promise {
    std::string to;
    std::string round;
    bool granted = false;
    std::string why;
};
/// Answer: peer_answered.
struct ask_peer {
    std::uint64_t op = 0;
    std::string node;
};
/// To every node of `nodes`: nudged there. No answer, and it may be lost.
struct nudge {
    std::vector<std::string> nodes;
};

// Guard. Each within F.

/// Hold `process` (checked against what runs: refused when another does) and kill it whole at
/// `valid_until` - K. `memory` is kept for a daemon that comes back. Answer: guard_answered.
struct arm_guard {
    std::uint64_t op = 0;
    std::string process;
    instant valid_until{};
    lease_memory memory;
};
/// `shorter` allows an earlier deadline than the one in force.
struct extend_guard {
    std::uint64_t op = 0;
    instant valid_until{};
    bool shorter = false;
    lease_memory memory;
};
struct forget_guard {
    std::uint64_t op = 0;
};

// Database

/// Answer: probed within `limit`, also when nothing runs.
struct probe {
    std::uint64_t op = 0;
    nanoseconds limit{};
};
/// The nodes' databases stop following: this node's first, which must succeed; the others are asked
/// over the peers' API, within R together, and may fail. Answer: carried_out.
struct end_streams {
    std::uint64_t op = 0;
    std::vector<std::string> nodes;
};
/// On one connection: read the process' name, set `gate`, promote. Refused when another process
/// answers, or when the promotion could not be sent before `not_after`. A process that is primary
/// already keeps its gate, and the answer is done: an earlier promote may come through late. Redis:
/// never CONFIG REWRITE. Answer: carried_out.
struct promote {
    std::uint64_t op = 0;
    std::string process;
    instant not_after{};
    gate_setting gate;
};
/// A write that `process` itself takes, whatever its gate waits for: PostgreSQL with
/// synchronous_commit=local; a Redis that answers NOREPLICAS would take it. Answer: carried_out,
/// `why` tells the class of a failure.
struct prove {
    std::uint64_t op = 0;
    std::string process;
};
/// Redis: min-replicas-to-write = count; PostgreSQL: synchronous_standby_names = ANY count (nodes),
/// both without a restart, read back; then the position is read. Never sent before the answer to
/// the set_gate before it, or the end of its connection. Answer: carried_out with `at`.
struct set_gate {
    std::uint64_t op = 0;
    std::string process;
    gate_setting gate;
};
/// Planned: no write any more, and `target` has every one. Redis: CLIENT PAUSE WRITE, wait for
/// equal offsets. PostgreSQL: fast stop, wait until the target has the shutdown checkpoint. Answer:
/// carried_out with `at` (done), or refused: `target` did not get there within `limit`, and
/// `stopped` tells whether the database still runs.
struct drain {
    std::uint64_t op = 0;
    std::string process;
    std::string target;
    nanoseconds limit{};
};
/// After a drain that failed: CLIENT UNPAUSE. Answer: carried_out.
struct resume_writes {
    std::uint64_t op = 0;
    std::string process;
};
/// No write any more, whatever it takes, and read back. `kill`: it hangs or must not be asked; kill
/// the whole container or cgroup and reap it. Empty `process`: whatever runs there. `upstream` (may
/// be empty: a dead address) is whom a Redis follows from now on. A fence that cannot be confirmed
/// kills. Answer: fenced.
struct fence {
    std::uint64_t op = 0;
    std::string process;
    bool kill = false;
    std::string upstream;
    std::string why;
};
/// Start the container or unit, boot-fenced; nothing when it runs. PostgreSQL: an empty data
/// directory is filled from `upstream` first. Answer: carried_out.
struct start_database {
    std::uint64_t op = 0;
    std::string upstream;  // whose database serves; empty: nobody's
};
/// Follow `upstream` without losing anything: refused with `diverged` when the database holds what
/// the upstream lacks, with `behind` when it lacks what the upstream no longer has. Also makes the
/// slot. Answer: carried_out.
struct follow {
    std::uint64_t op = 0;
    std::string process;
    std::string upstream;
};
/// PostgreSQL: CHECKPOINT after a promotion. Answer: carried_out.
struct checkpoint {
    std::uint64_t op = 0;
};
/// Copy what the upstream lacks into the quarantine directory. Answer: carried_out; until it is
/// done nothing is discarded.
struct quarantine {
    std::uint64_t op = 0;
    std::string upstream;
};
/// Give up what diverged, or is too old, and become a replica: full sync; pg_rewind, else
/// pg_basebackup. Answer: carried_out.
struct resync {
    std::uint64_t op = 0;
    std::string upstream;
};

// People

/// Bounded by policy::hook. `before`: refused is a veto. Answer: carried_out.
struct run_hook {
    std::uint64_t op = 0;
    bool before = true;
    std::string what;  // "takeover", "switchover"
    std::string node;  // who is to be primary
};
enum class weight { info, warning, alarm };
/// A line for the log, the history ring and the journal: only when something changed.
struct tell {
    weight how = weight::info;
    std::string text;
};

using action = std::variant<read_record, write_record, ask_promises, answer_promise, ask_peer,
                            nudge, arm_guard, extend_guard, forget_guard, probe, end_streams,
                            promote, prove, set_gate, drain, resume_writes, fence, start_database,
                            follow, checkpoint, quarantine, resync, run_hook, tell>;

[[nodiscard]] std::string to_string(action const& a);

}  // namespace bevmesh::failover
