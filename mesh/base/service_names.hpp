// Which names a service has: those that its certificate is for, and that a node's role in Vault
// allows. Both are made of these, so that none is asked for that is not allowed.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/config.hpp"

namespace bevmesh {

/// NAME.service.DOMAIN and, where the datacenter is known, NAME.service.DC.DOMAIN.
[[nodiscard]] inline std::vector<std::string> dns_names_of(std::string const& service,
                                                           mesh_config const& mesh) {
    std::vector<std::string> names{service + ".service." + mesh.domain};
    if (!mesh.datacenter.empty())
        names.push_back(service + ".service." + mesh.datacenter + "." + mesh.domain);
    return names;
}

/// SPIFFE's name of a service on a node: spiffe://MESH/node/NODE/service/NAME.
[[nodiscard]] inline std::string uri_of(std::string const& mesh, std::string const& node,
                                        std::string const& service) {
    return "spiffe://" + mesh + "/node/" + node + "/service/" + service;
}

/// What Consul's agent has besides its service's. The node asks it on the loopback; other agents
/// and servers look for server.DC.DOMAIN, where they verify host names.
[[nodiscard]] inline std::vector<std::string> agent_dns_names(mesh_config const& mesh) {
    std::vector<std::string> names{"localhost"};
    if (!mesh.datacenter.empty())
        names.insert(names.begin(), "server." + mesh.datacenter + "." + mesh.domain);
    return names;
}
inline constexpr char const* agent_addresses[] = {"127.0.0.1", "::1"};

}  // namespace bevmesh
