// What a node knows of a group, as JSON: for the API, and so for the command line.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "failover/driver/driver.hpp"

namespace bevmesh::daemon {

[[nodiscard]] nlohmann::json describe_group(failover::driver const& d, instant now);
[[nodiscard]] nlohmann::json describe_history(failover::journal const& j);

}  // namespace bevmesh::daemon
