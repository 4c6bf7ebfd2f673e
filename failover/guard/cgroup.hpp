// A unit's cgroup as a whole: what is in it, and killing all of it. Version 1 and version 2.
//
// Version 2 has cgroup.kill (Linux 5.14), which also catches what forks meanwhile. Version 1, and
// older kernels, take repeated passes of SIGKILL over cgroup.procs until it stays empty. Each
// process is held by a pidfd and looked up in the list again before it is killed, so that a pid
// that went to another process meanwhile is never hit. Nothing here allocates.
#pragma once

#include <sys/types.h>

#include "failover/guard/process.hpp"

namespace bevmesh::failover::guard {

class cgroup {
public:
    /// `directory` holds cgroup.procs; the root of a hierarchy is refused.
    [[nodiscard]] bool open(char const* directory) noexcept;
    void close() noexcept;
    explicit operator bool() const noexcept { return static_cast<bool>(directory_); }

    /// In it or in a cgroup below it.
    [[nodiscard]] bool contains(pid_t pid) const noexcept;
    /// Also when it has been removed.
    [[nodiscard]] bool empty() const noexcept;
    /// SIGKILL to everything; call again until empty().
    void strike() noexcept;

private:
    descriptor directory_;
    descriptor kill_;  // cgroup.kill, open since before it is needed
};

/// freezer.state of the version 1 freezer that the process is in, for writing; empty when there is
/// none. A process frozen by it (`docker pause`) does not die of SIGKILL until it is thawed.
[[nodiscard]] descriptor open_freezer(pid_t pid) noexcept;
/// After SIGKILL: the signal is taken before anything else runs.
void thaw(int freezer) noexcept;

}  // namespace bevmesh::failover::guard
