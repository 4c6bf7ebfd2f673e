// What a node can know about a database and about another member: the failover core's vocabulary.
//
// Pure values. A position is what the database counts: bytes of WAL (LSN) or of the replication
// stream (offset). Positions compare only within one history.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/time.hpp"

namespace bevmesh::failover {

using position = std::uint64_t;

/// A history that went on as another one: up to `end` (exclusive) the two are the same.
struct ancestor {
    std::string id;
    position end = 0;

    friend bool operator==(ancestor const&, ancestor const&) = default;
};

/// Which line of writes a database holds. Redis: id = replid, one ancestor (replid2 and
/// second_repl_offset). PostgreSQL: id = "SYSTEM_ID/TIMELINE", ancestors from the timeline's
/// history file.
struct history {
    std::string id;
    std::vector<ancestor> ancestors;

    /// The line that ended at `at` in `id` is part of this one.
    [[nodiscard]] bool contains(std::string_view line, position at) const;
    /// This line is `line` or came out of it.
    [[nodiscard]] bool descends_from(std::string_view line) const;

    friend bool operator==(history const&, history const&) = default;
};

enum class role {
    none,     // no process, or it answered nothing that tells
    primary,  // would take writes
    replica,  // follows, or boot-fenced: takes no writes
};

/// How the database answered the probe. Only `refused`, `hung` and `write_fails` are failures.
enum class condition {
    ok,
    refused,          // connection refused, or no process
    hung,             // no answer within the probe's deadline
    write_fails,      // answers, but a write does not go through: disk full, read-only, MISCONF
    loading,          // Redis LOADING
    busy,             // Redis BUSY: a script
    recovering,       // PostgreSQL starting up
    bad_credentials,  // it refuses our password
    foreign_data,     // another system identifier, a data directory of somebody else
};

/// A replica as its primary sees it.
struct replica_view {
    std::string node;
    position flushed = 0;
    bool streaming = false;

    friend bool operator==(replica_view const&, replica_view const&) = default;
};

/// A primary's write waits for `count` of `nodes`. Redis counts, and knows no names.
struct gate_setting {
    std::vector<std::string> nodes;  // sorted
    std::size_t count = 0;

    friend bool operator==(gate_setting const&, gate_setting const&) = default;
};

/// One probe of the local database.
struct database_facts {
    /// Names the running process and no later one: Redis run_id; PostgreSQL's postmaster start time
    /// and pid. Empty: none runs, or it could not be told.
    std::string process;
    failover::history history;
    failover::role role = role::none;
    failover::condition condition = condition::refused;
    position at = 0;                     // written (primary), flushed (replica)
    std::string upstream;                // replica: the node that it is told to follow
    bool streaming = false;              // replica: the stream is up
    bool boot_fenced = true;             // what is on disk never says primary
    std::vector<replica_view> replicas;  // primary

    friend bool operator==(database_facts const&, database_facts const&) = default;
};

/// It did not answer, or did not let us in: of everything else nothing was seen.
[[nodiscard]] inline bool tells_nothing(database_facts const& f) {
    return f.condition == condition::hung || f.condition == condition::bad_credentials;
}

/// What a member tells the others about itself.
struct member_report {
    database_facts database;
    std::uint64_t epoch = 0;    // the highest that it knows of
    std::string epoch_holder;   // and whose it is
    std::string configuration;  // hash of the group's configuration, see policy
    int priority = 100;         // 0: never to be promoted
    bool serving = false;       // holds a valid lease and serves
    bool guarded = false;       // has a live guard
    bool ready = false;         // its boot wait is over, and Consul answers it

    friend bool operator==(member_report const&, member_report const&) = default;
};

[[nodiscard]] std::string_view name(role r) noexcept;
[[nodiscard]] std::string_view name(condition c) noexcept;

}  // namespace bevmesh::failover
