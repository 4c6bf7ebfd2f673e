// A PostgreSQL server's account of itself, decoded, and what two servers' accounts mean together.
// Pure. For PostgreSQL 15 to 17.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failover/facts.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::postgres {

/// A row of pg_stat_replication. Members' standbys are known by application_name, which is the
/// node's name.
struct listed_standby {
    std::string name;
    std::string state;  // streaming, catchup, backup, startup
    position flushed = 0;
    bool counts = false;  // its walsender takes it for synchronous

    friend bool operator==(listed_standby const&, listed_standby const&) = default;
};

struct server_state {
    /// The postmaster's start in microseconds: no other process of this server has had the same.
    std::string process;
    std::string system;            // system identifier
    unsigned version = 0;          // 150006
    std::string architecture;      // "x86_64-pc-linux-gnu", out of version()
    std::string collation;         // what the database was made with
    std::string collation_actual;  // what the system's library has now
    std::uint32_t timeline = 0;
    std::string timeline_history;  // the file of that name; empty on timeline 1
    bool recovery = false;         // a standby
    bool standby_signal = false;   // on disk: the next start is a standby's
    bool restart_after_crash = true;
    position at = 0;        // flushed: by itself, or received
    position replayed = 0;  // standby
    bool replay_paused = false;
    bool streaming = false;  // standby: the walreceiver streams
    std::string upstream_host;
    std::uint16_t upstream_port = 0;
    std::string primary_conninfo;
    std::string slot;
    std::string synchronous_names;  // synchronous_standby_names
    std::string synchronous_commit;
    std::string data_directory;
    bool can_rewind = false;  // checksums or wal_log_hints
    std::vector<listed_standby> standbys;
    std::map<std::string, std::string> slots;  // physical slots: name, wal_status

    friend bool operator==(server_state const&, server_state const&) = default;
};

/// One statement, one row, one JSON value; runs on a primary and on a standby.
[[nodiscard]] std::string const& state_query();
[[nodiscard]] result<server_state> read_state(std::string_view json);

/// "0/16B3748" as bytes.
[[nodiscard]] std::optional<position> read_lsn(std::string_view text);
[[nodiscard]] std::string to_lsn(position at);

/// "SYSTEM/TIMELINE", with the ancestors that the timeline's history file names.
[[nodiscard]] history history_of(server_state const& state);

/// Host and port of each other member's PostgreSQL, by node.
struct address {
    std::string host;
    std::uint16_t port = 0;

    friend auto operator<=>(address const&, address const&) = default;
};
using addresses = std::map<std::string, address>;

[[nodiscard]] database_facts to_facts(server_state const& state, addresses const& others);

/// `ANY count ("a", "b")`; no node: empty, asynchronous.
[[nodiscard]] std::string synchronous_names(gate_setting const& gate);

/// The standby holds WAL that the upstream's history does not: it cannot follow without a rewind.
[[nodiscard]] bool diverged(server_state const& local, server_state const& upstream);

/// The slot of a node's standby: "bevmesh_" and the name in the letters that a slot may have.
[[nodiscard]] std::string slot_of(std::string_view node);

struct slot_changes {
    std::vector<std::string> make;  // or make anew
    std::vector<std::string> drop;

    [[nodiscard]] bool empty() const noexcept { return make.empty() && drop.empty(); }
    friend bool operator==(slot_changes const&, slot_changes const&) = default;
};

/// A primary keeps WAL for every other member, also for one that is away and comes back. A standby
/// keeps it for nobody: a slot that it had as a primary would hold WAL until its disk is full. Only
/// slots that begin with "bevmesh_"; that of a member which is removed is for an admin to drop.
[[nodiscard]] slot_changes changes_of_slots(server_state const& state, addresses const& others);

/// Where a file of pg_wal begins: `number` is its name without the timeline, `segment` the
/// server's wal_segment_size.
[[nodiscard]] std::optional<position> begin_of_segment(std::string_view number, position segment);

/// What an admin should know before these two replicate; empty: nothing. Another architecture or
/// major version cannot replicate at all; another collation version makes indexes wrong.
[[nodiscard]] std::vector<std::string> warnings(server_state const& one, server_state const& other);

}  // namespace bevmesh::failover::postgres
