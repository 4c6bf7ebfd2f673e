// How `bevmesh certs ca rotate` shows where a rollover is, and what the daemons' answer tells it.
// Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "certs/rollover.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// Of the answer of /v1/certs/mesh.
[[nodiscard]] std::vector<certs::member_seen> members_of(nlohmann::json const& answer);
[[nodiscard]] std::vector<std::string> silent_of(nlohmann::json const& answer);

/// The CAs, the services and what is next.
[[nodiscard]] nlohmann::json to_json(certs::rollover_sight const& seen,
                                     certs::rollover_move const& next);
[[nodiscard]] std::string draw_rollover(certs::rollover_sight const& seen, page const& on);

}  // namespace bevmesh::cli
