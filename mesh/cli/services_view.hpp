// `bevmesh services`: the mesh's services as a table, filtered and in order. Pure.
//
// Works on the daemon's GET /v1/services: "services" is what Consul holds for the whole mesh,
// "local" what this node's registrar makes of its containers, also of those that are not announced
// (yet).
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

struct services_filter {
    std::string node;       // empty: all
    std::string status;     // of an instance, or a phase of the registrar; empty: all
    std::string this_node;  // whose the "local" part is; matters when `node` is given
};

/// The answer with what the filter lets through, sorted by name, node and address. Services of
/// which nothing is left are gone.
[[nodiscard]] nlohmann::json select_services(nlohmann::json const& answer,
                                             services_filter const& filter);

/// A line an instance; below it what this node has not announced, and why. With `checks` also a
/// line for each check. Empty when there is nothing to show.
[[nodiscard]] std::string draw_services(nlohmann::json const& selected, bool checks,
                                        page const& on);

/// The names in the answer, for "did you mean".
[[nodiscard]] std::vector<std::string> service_names(nlohmann::json const& answer);

}  // namespace bevmesh::cli
