// The process, or the whole unit, that a guard will kill: opened and proved to be the one that was
// meant while there is time, so that killing it later needs no path, no memory and no trust in
// pids.
#pragma once

#include "failover/guard/cgroup.hpp"
#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"

namespace bevmesh::failover::guard {

class victim {
public:
    /// `pidfd` may be empty: then the pid is opened here. `self` and `peer` (guard and daemon) must
    /// survive. On anything but done nothing is held.
    [[nodiscard]] verdict open(victim_id const& who, descriptor pidfd, pid_t self, pid_t peer);
    /// After a guard's death: only what the main process left behind in its cgroup. False when that
    /// is nothing.
    [[nodiscard]] bool open_rest(victim_id const& who, pid_t self);
    void close() noexcept;

    /// SIGKILL to all of it; call again until gone(). Works on what is stopped or frozen.
    void strike() noexcept;
    /// The main process has ended and its cgroup, if one was named, is empty.
    [[nodiscard]] bool gone() const noexcept;
    [[nodiscard]] bool main_process_ended() const noexcept;
    /// For poll(2): readable once the main process has ended. -1 when nothing is held.
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

private:
    [[nodiscard]] verdict check(victim_id const& who, pid_t self, pid_t peer) noexcept;

    descriptor pidfd_;
    cgroup group_;
    descriptor freezer_;
};

}  // namespace bevmesh::failover::guard
