// Who a service's certificate on a node is for: what its peers look for, and no name besides.
//
// Pure. The role that `bevmesh vault bootstrap` makes for the node allows these.
#pragma once

#include <string>
#include <string_view>

#include "certs/subject.hpp"
#include "mesh/base/config.hpp"

namespace bevmesh::certs {

/// The service that is the daemon itself: no configured one has its certificate, which opens the
/// other nodes' daemons.
constexpr std::string_view daemon_name = "bevmesh";
/// What the certificate of Consul's agent is kept as (`consul.tls`).
constexpr std::string_view agent_name = "consul";

[[nodiscard]] subject subject_of(std::string const& service, std::string const& node,
                                 mesh_config const& mesh);

}  // namespace bevmesh::certs
