// A database in a systemd unit of this node: found by its name, held by its main process, killed
// with all of its control group.
//
// systemd is asked through systemctl(1), which works whatever bus there is and whatever happens to
// our own connections. Looking needs no rights; starting, and stopping a unit that would come back,
// need those of manage-units; killing and signalling need CAP_KILL, and no systemd. What has to be
// set for a sandboxed daemon is in failover/README.md.
#pragma once

#include <memory>
#include <string>

#include "failover/driver/housing.hpp"

namespace bevmesh::failover {

/// `unit`: "redis-server" or "postgresql@15-main.service". A tool runs as the unit's own user, and
/// its files are the host's.
[[nodiscard]] std::unique_ptr<housing> make_unit_housing(std::string unit);

/// The control group as a directory that holds cgroup.procs, in whichever layout of the hierarchies
/// `mounted` (/sys/fs/cgroup) has; empty: there is none. `group`: "/system.slice/redis.service".
[[nodiscard]] std::string cgroup_directory(std::string const& group,
                                           std::string const& mounted = "/sys/fs/cgroup");

}  // namespace bevmesh::failover
