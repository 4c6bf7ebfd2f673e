// The parts of the judgement, one a subject. Pure.
#pragma once

#include <string>
#include <vector>

#include "registrar/verify/judge.hpp"

namespace bevmesh::registrar::verify {

[[nodiscard]] std::vector<row> judge_nodes(mesh_config const& config, mesh_facts const& facts);
[[nodiscard]] std::vector<row> judge_networks(mesh_config const& config, mesh_facts const& facts);
[[nodiscard]] std::vector<row> judge_services(mesh_config const& config, mesh_facts const& facts);
[[nodiscard]] std::vector<row> judge_names(mesh_config const& config, mesh_facts const& facts);

/// "redis#0": how container_fact::services names the instance of a service.
[[nodiscard]] std::string instance_key(std::string const& service, std::size_t index);

/// Adds the finding; the row's status becomes `status`, or the code's, if that is worse.
void add(row& to, code c, std::string text, std::string remedy, standing status);
void add(row& to, code c, std::string text, std::string remedy);

}  // namespace bevmesh::registrar::verify
