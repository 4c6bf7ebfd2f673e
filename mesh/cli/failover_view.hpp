// Failover groups as tables, from the daemon's JSON: pure.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// A line for each group's lease, and a row for each member.
[[nodiscard]] std::string draw_failover_status(nlohmann::json const& answer, page const& on);
/// Why each member would or would not be promoted now.
[[nodiscard]] std::string draw_failover_explain(nlohmann::json const& answer, page const& on);
[[nodiscard]] std::string draw_failover_history(nlohmann::json const& answer, page const& on);
/// A group without a holder that serves, or with a member that does not answer, is bad news.
[[nodiscard]] bool failover_is_degraded(nlohmann::json const& answer);

}  // namespace bevmesh::cli
