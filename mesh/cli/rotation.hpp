// Another certificate for a service on a node, asked for and waited for; blocking.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {

/// `before`: what the daemon says of it. What it says once every address of the service shows the
/// new one; errc::remote_error: what is wrong on that node, timed_out: it took longer than `wait`.
[[nodiscard]] result<nlohmann::json> rotate_one(settings const& how, nlohmann::json const& before,
                                                milliseconds wait);

}  // namespace bevmesh::cli
