// The guard itself: one group, one unix socket, one process that it kills at the deadline.
//
// A loop of poll(2) over the socket, a timer on CLOCK_BOOTTIME (which goes on while the machine
// sleeps) and the victim's pidfd. After make() it allocates nothing. It speaks with root and with
// the one other user that it was told; the newest daemon's hello drops the connection of the one
// before.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::failover::guard {

struct server_options {
    std::string group;       // at most 63 bytes
    std::string socket;      // path; a stale one is replaced
    std::string state_file;  // on a file system that does not outlive the boot
    uid_t user = 0;          // besides root: whom the daemon runs as
    std::string watchdog;    // /dev/watchdog, or empty
    seconds watchdog_timeout{10};
    /// Readable: stop. The process stays held in the state file. -1: never.
    int stop = -1;
};

class server {
public:
    virtual ~server() = default;
    /// Until `stop`. Fails when the loop itself cannot go on; what is held stays in the file.
    virtual result<void> run() = 0;
    [[nodiscard]] virtual std::string const& id() const noexcept = 0;
};

/// Bound, listening, and holding again what a guard that died had held; past its deadline, run()
/// kills that first. errc::conflict: another guard of the group runs.
[[nodiscard]] result<std::unique_ptr<server>> make_server(server_options options);

}  // namespace bevmesh::failover::guard
