// The daemon: everything wired together, its signals and its end.
//
// SIGHUP builds and checks a whole new configuration beside the old one and swaps; on any problem
// the old one stays. SIGTERM and SIGINT end it in order: no new requests, tasks canceled and
// joined, registrations left as they are. A second signal, or 10 s, ends it at once.
#pragma once

#include <string>

namespace bevmesh::daemon {

struct options {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string node;  // empty: the host name, up to the first dot
};

/// Runs until told to stop. Exit status: 0 stopped in order, 1 could not start or had to be forced;
/// what was wrong is on stderr.
[[nodiscard]] int run(options const& how);

}  // namespace bevmesh::daemon
