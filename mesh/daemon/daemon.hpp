// The daemon: everything wired together, its signals and its end.
//
// SIGHUP builds and checks a whole new configuration beside the old one and swaps; on any problem
// the old one stays. SIGTERM and SIGINT end it in order: no new requests, tasks canceled and
// joined, registrations left as they are. A second signal, or 10 s, ends it at once.
#pragma once

#include <string>

#include "mesh/base/secret.hpp"

namespace bevmesh::daemon {

struct options {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string node;  // empty: the host name, up to the first dot
    /// Where not empty, the configuration itself; config_file is then only what messages call it.
    std::string document = {};
    /// Where not empty, instead of consul.token_file.
    secret consul_token = {};
};

/// Runs until told to stop. Exit status: 0 stopped in order, 1 could not start or had to be forced;
/// what was wrong is on stderr.
[[nodiscard]] int run(options const& how);

}  // namespace bevmesh::daemon
