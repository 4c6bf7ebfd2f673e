// A data directory whose server does not run: what is in it, and the few files that failover
// writes.
//
// Every call blocks on the disk: run it on the pool. Files are written beside, synced and renamed,
// with the directory's owner, so that the server can read them. Nothing is deleted.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "failover/postgres/control.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::failover::postgres {

struct directory_facts {
    bool exists = false;
    bool empty = true;  // or it does not exist: a base backup may fill it
    uid_t owner = 0;
    std::string version;  // PG_VERSION: "15"; empty: no data directory
    bool standby_signal = false;
    bool locked = false;  // postmaster.pid is there: it runs, or it crashed
};

/// errc::forbidden: it cannot be looked into.
[[nodiscard]] result<directory_facts> inspect(std::filesystem::path const& data);

/// What stands against starting or filling it as a member's, in a sentence; empty: nothing.
/// Somebody else's directory, other files where data should be, another cluster's system
/// identifier.
[[nodiscard]] std::string objection(directory_facts const& facts, std::filesystem::path const& data,
                                    uid_t server_user, control_data const* control,
                                    std::string const& expected_system);

/// Out of global/pg_control. errc::not_found: a version whose layout is not known here, and
/// pg_controldata must be asked.
[[nodiscard]] result<control_data> control_of(std::filesystem::path const& data);

/// Creates standby.signal: whatever starts the server next starts a standby. At every start, as a
/// promotion deletes it. Done too when it is there. errc::bad_input: that is no data directory.
[[nodiscard]] result<void> make_boot_fenced(std::filesystem::path const& data);

/// The opposite, before a rewind that needs the server's own crash recovery, which refuses to run
/// on a standby. Whatever starts the server before make_boot_fenced starts a primary: only with a
/// mark.
[[nodiscard]] result<void> lift_boot_fence(std::filesystem::path const& data);

/// Whether a base backup may take its place. Refused, errc::conflict: it has tablespaces, whose
/// directories are elsewhere and not empty, or a pg_wal elsewhere, which would come to lie here.
[[nodiscard]] result<void> may_be_replaced(std::filesystem::path const& data);

/// The file `mark`, outside of the data directory, says that what is in it is being replaced and
/// must not be started: half of it may be the old data, half the new. On disk when it returns.
[[nodiscard]] result<void> set_mark(std::filesystem::path const& mark);
[[nodiscard]] result<void> remove_mark(std::filesystem::path const& mark);

/// Puts settings into postgresql.auto.conf, in place of those of the same name: after a rewind a
/// standby cannot be told by SQL before it has an upstream.
[[nodiscard]] result<void> write_settings(std::filesystem::path const& data,
                                          std::map<std::string, secret> const& settings);

/// Before a rewind or a base backup that would lose it: the WAL since `fork` (wal_since), the
/// histories and pg_control, into `target`/`name`. See database::copy_safely.
[[nodiscard]] result<std::vector<std::filesystem::path>> quarantine(
    std::filesystem::path const& data, std::uint32_t timeline, position fork, position segment,
    std::filesystem::path const& target, std::string const& name);

}  // namespace bevmesh::failover::postgres
