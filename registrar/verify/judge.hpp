// From the facts of a mesh to what is wrong with it: the matrix of `bevmesh verify`. Pure.
//
// Nothing is taken for healthy that was not seen: of a node whose daemon could not be asked, and of
// containers whose engine does not answer, only what Consul says is told, and the state is unknown.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "registrar/verify/facts.hpp"
#include "registrar/verify/finding.hpp"

namespace bevmesh::registrar::verify {

/// Rows of the nodes, of networks, of services in the order of the configuration, of names.
[[nodiscard]] std::vector<row> judge(mesh_config const& config, mesh_facts const& facts);

/// {"healthy", "asked_on", "errors", "warnings", "rows"}: healthy is a mesh without errors.
[[nodiscard]] nlohmann::json to_json(std::vector<row> const& rows, std::string const& asked_on);

}  // namespace bevmesh::registrar::verify
