// `bevmesh dns`: what was seen from where, and what is wrong with it, for people. Pure.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/table.hpp"
#include "registrar/dns/findings.hpp"

namespace bevmesh::cli {

[[nodiscard]] nlohmann::json to_json(registrar::dns::observations const& seen);
/// `answer` is that JSON: a line for each place, then each finding with its remedy.
[[nodiscard]] std::string draw_doctor(nlohmann::json const& answer, page const& on);

}  // namespace bevmesh::cli
