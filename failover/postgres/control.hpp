// What pg_controldata says of a data directory whose server does not run, and the commands that
// rebuild one. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "failover/postgres/state.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::postgres {

struct control_data {
    std::string system;
    std::string state;  // "shut down", "in production", "shut down in recovery"
    std::uint32_t timeline = 0;
    position checkpoint = 0;        // of the latest checkpoint record
    position min_recovery_end = 0;  // a standby's
    bool checksums = false;
    bool log_hints = false;

    /// A fast stop that ended well: the checkpoint is its last record.
    [[nodiscard]] bool shut_down() const noexcept { return state == "shut down"; }
    /// It was killed, or its machine was: pages may lack what the WAL has.
    [[nodiscard]] bool crashed() const noexcept {
        return !shut_down() && state != "shut down in recovery";
    }

    friend bool operator==(control_data const&, control_data const&) = default;
};

/// In the C locale: run it with LC_ALL=C.
[[nodiscard]] result<control_data> read_control(std::string_view output);

/// A planned stop left this directory complete and ahead of nobody: a standby that has received
/// past `checkpoint` of the same timeline holds every write.
[[nodiscard]] bool holds_all(control_data const& stopped, std::uint32_t timeline,
                             position received);

/// argv of the server's own programs; `bin` is their directory, empty for those of the PATH. The
/// connection strings hold no password: PGPASSFILE does.
[[nodiscard]] std::vector<std::string> control_command(std::string const& bin,
                                                       std::string const& data);
/// Streams the WAL beside, over the slot; fails, rather than waits, on an existing directory with
/// anything in it. A fast checkpoint: the standby is wanted now.
[[nodiscard]] std::vector<std::string> base_backup_command(std::string const& bin,
                                                           std::string const& data,
                                                           std::string const& upstream,
                                                           std::string const& slot);
/// `recover`: crash recovery comes first; the directory must not be boot-fenced then.
[[nodiscard]] std::vector<std::string> rewind_command(std::string const& bin,
                                                      std::string const& data,
                                                      std::string const& upstream, bool recover);

/// WAL files of `names` (of pg_wal) with anything at or after `fork` of `timeline` or of a later
/// one, and the histories: what a rewind gives up. `segment` is wal_segment_size.
[[nodiscard]] std::vector<std::string> wal_since(std::vector<std::string> const& names,
                                                 std::uint32_t timeline, position fork,
                                                 position segment);

}  // namespace bevmesh::failover::postgres
