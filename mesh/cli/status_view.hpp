// `bevmesh status` for people: one node's daemon in a few lines. Pure.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/exit_status.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// `answer` is the daemon's GET /v1/status.
[[nodiscard]] std::string draw_status(nlohmann::json const& answer, page const& on);

/// degraded when the daemon says so, or when it does not say "ok".
[[nodiscard]] exit_status judge_status(nlohmann::json const& answer);

/// "3 d 4 h", "12 min 5 s": the two largest units.
[[nodiscard]] std::string draw_duration(std::uint64_t seconds);

}  // namespace bevmesh::cli
