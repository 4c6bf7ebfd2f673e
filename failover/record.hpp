// The lease record: the one KV entry of a group, `bevmesh/failover/GROUP`, and its JSON.
//
// Everything that must change together is in it, and it changes only by compare-and-set on its
// ModifyIndex, together with the catalog's endpoint in one transaction. Observers count from when
// they received a change, so no time of day is in it; durations are milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "failover/facts.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover {

enum class lease_state {
    held,
    released,  // by its holder, which had fenced or had seen its database dead
    expired,   // marked by a member after O, when nobody was fit to take
};

/// One who may be promoted without loss. An entry names a history, and for Redis a process: a
/// member that was reborn without its data is out until it is recorded again.
struct in_sync_entry {
    std::string node;
    std::string process;       // empty: the data outlives the process (PostgreSQL)
    std::string history;       // history::id when it was recorded
    position recorded_at = 0;  // it had flushed so much: a restored backup is below

    /// The database that `facts` tells of still has what it had when it was recorded.
    [[nodiscard]] bool still_true(database_facts const& facts) const;

    friend bool operator==(in_sync_entry const&, in_sync_entry const&) = default;
};

struct lease_record {
    std::uint64_t epoch = 0;  // grows with each take
    std::string holder;       // the node; identity is guard_id and write_id
    std::string guard_id;
    std::string write_id;  // fresh for every attempt, also a retry
    std::vector<std::string> members;
    std::vector<in_sync_entry> in_sync;
    lease_state state = lease_state::held;
    std::string target;           // released by plan: who is to take it
    position released_at = 0;     // released by plan: nobody below it may take
    milliseconds term{0};         // held for longer than L, for a planned restart of the daemon
    std::string reason;           // of the last take or release, for people
    bool published = false;       // the catalog's endpoint names the holder
    bool database_died = false;   // released because the process was seen dead
    std::string configuration;    // policy::configuration of the writer
    std::uint64_t automatic = 0;  // epoch of the last take that no operator asked for
    std::uint64_t acked = 0;      // an operator has seen automatic takes up to this epoch
    std::string order_done;       // id of the last scheduled order that was carried out

    [[nodiscard]] bool names(std::string_view node) const;  // as a member
    [[nodiscard]] in_sync_entry const* entry_of(std::string_view node) const;

    friend bool operator==(lease_record const&, lease_record const&) = default;
};

/// What the guard keeps of a lease for a daemon that comes back.
struct lease_memory {
    std::uint64_t index = 0;  // the newest write known to be committed
    lease_record record;      // and its content
    bool serving = false;

    friend bool operator==(lease_memory const&, lease_memory const&) = default;
};

[[nodiscard]] std::string encode(lease_record const& r);
[[nodiscard]] std::string encode(lease_memory const& m);
[[nodiscard]] result<lease_memory> decode_memory(std::string_view text);
/// errc::bad_answer: the text is no lease record; whoever reads that takes nothing.
[[nodiscard]] result<lease_record> decode_record(std::string_view text);

[[nodiscard]] std::string_view name(lease_state s) noexcept;

}  // namespace bevmesh::failover
