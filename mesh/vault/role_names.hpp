// Which names a node's certificates may have, from the configuration. Pure.
#pragma once

#include <set>
#include <string>

#include "mesh/base/config.hpp"

namespace bevmesh::vault {

struct certificate_names {
    std::set<std::string> domains;  // DNS names and common names, exact
    std::set<std::string> uris;
    std::set<std::string> addresses;
};

/// The node's own name and address, NAME.service.DOMAIN and NAME.service.DC.DOMAIN of each service
/// on it, GROUP-primary and GROUP-replica of its failover groups with the users of these, the
/// names that the configuration adds, and spiffe://MESH/node/NODE/service/NAME.
void add_names_of(std::string const& node, mesh_config const& mesh, certificate_names& into);

/// "service-NODE" with the node's name.
[[nodiscard]] std::string named_for(std::string text, std::string const& node);

}  // namespace bevmesh::vault
