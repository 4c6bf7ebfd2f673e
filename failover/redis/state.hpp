// A Redis server's own account of itself, decoded. Pure.
//
// From INFO (server, replication, persistence), ROLE and CONFIG GET of Redis 7.0; unknown fields
// are ignored, a missing one that matters is errc::bad_answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failover/facts.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::redis {

/// A replica as the primary's INFO lists it.
struct listed_replica {
    std::string host;
    std::uint16_t port = 0;
    bool online = false;
    position offset = 0;  // acknowledged
    unsigned lag = 0;     // seconds since the last acknowledgement

    friend bool operator==(listed_replica const&, listed_replica const&) = default;
};

struct server_state {
    std::string version;
    std::string run_id;
    std::int64_t process_id = 0;  // inside its container
    std::string config_file;      // inside its container; empty: started without one
    std::string replid;
    std::string replid2;  // empty: none
    position offset = 0;
    position second_offset = 0;  // replid2 is good below it
    bool replica = false;
    std::string upstream_host;  // replica
    std::uint16_t upstream_port = 0;
    bool link_up = false;
    bool syncing = false;
    std::optional<unsigned> link_silent;  // seconds since the upstream was last heard
    std::vector<listed_replica> replicas;
    bool loading = false;
    bool misconfigured = false;  // PING answers MISCONF: it cannot save, and takes no writes
    bool aof = false;
    bool save_in_progress = false;
    bool last_save_ok = true;
    std::int64_t last_save = 0;  // of the last good RDB, in the server's wall clock seconds
    unsigned gate_count = 0;     // min-replicas-to-write
    unsigned gate_lag = 0;       // min-replicas-max-lag, seconds
    std::string directory;       // inside its container
    std::string rdb_name;
    std::string aof_directory;

    friend bool operator==(server_state const&, server_state const&) = default;
};

/// `configuration`: CONFIG GET as pairs; may be empty where ACL forbids it.
[[nodiscard]] result<server_state> read_state(
    std::string_view info, std::map<std::string, std::string> const& configuration);

/// "key:value" lines of INFO; section titles are skipped.
[[nodiscard]] std::map<std::string, std::string, std::less<>> read_info(std::string_view info);

/// What an error reply says about the server: LOADING, BUSY, MISCONF, NOAUTH, READONLY, OOM...
[[nodiscard]] condition classify(std::string_view error_code) noexcept;

/// Host and port of each member's Redis, as the others reach it.
struct address {
    std::string host;
    std::uint16_t port = 0;

    friend auto operator<=>(address const&, address const&) = default;
};
using addresses = std::map<std::string, address>;  // by node

/// The node whose address this is; empty: none of them, the dead address among others.
[[nodiscard]] std::string node_at(addresses const& nodes, std::string_view host,
                                  std::uint16_t port);

/// In the core's words. A replica is named by the address that it announces, which must be that of
/// one of the `others`: the members without this node.
[[nodiscard]] database_facts to_facts(server_state const& state, addresses const& others,
                                      bool boot_fenced);

/// The replication history, for comparing with another's.
[[nodiscard]] history history_of(server_state const& state);

/// Whether `local` holds writes that `upstream` lacks, so that following would lose them. A server
/// without a key loses nothing.
[[nodiscard]] bool diverged(server_state const& local, server_state const& upstream,
                            bool local_is_empty);

}  // namespace bevmesh::failover::redis
