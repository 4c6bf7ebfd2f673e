// `bevmesh verify`: the matrix, and below it a sentence and a remedy for each issue. Pure.
//
// Works on the daemon's GET /v1/verify.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

struct verify_filter {
    std::vector<std::string> only;  // categories; empty: all
    std::vector<std::string> skip;
};

/// nodes, consul, docker, networks, services, names.
[[nodiscard]] std::vector<std::string> const& verify_categories();

/// The answer with the rows that the filter lets through; healthy, errors and warnings are counted
/// anew.
[[nodiscard]] nlohmann::json select_rows(nlohmann::json const& answer, verify_filter const& filter);

[[nodiscard]] std::string draw_verify(nlohmann::json const& selected, page const& on);

}  // namespace bevmesh::cli
