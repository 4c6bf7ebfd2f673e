// What a node knows of a group, as JSON: for the API, and so for the command line.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "failover/driver/driver.hpp"
#include "failover/driver/shared_history.hpp"
#include "failover/orders.hpp"

namespace bevmesh::daemon {

[[nodiscard]] nlohmann::json describe_group(failover::driver const& d, instant now);
/// {"pause", "scheduled"}; null where there is none.
[[nodiscard]] nlohmann::json describe_orders(failover::standing_orders const& own,
                                             failover::standing_orders const& mesh,
                                             failover::utc now);
/// [{"at", "node", "weight", "text"}], oldest first.
[[nodiscard]] nlohmann::json describe_history(std::vector<failover::shared_line> const& lines);
[[nodiscard]] nlohmann::json describe_history(failover::journal const& j, std::string const& node);

/// Out of an answer to GET /v1/failover?group=G: the group; null where there is none.
[[nodiscard]] nlohmann::json group_in(nlohmann::json const& answer);
/// Who holds its lease; empty: nobody.
[[nodiscard]] std::string holder_in(nlohmann::json const& answer);

}  // namespace bevmesh::daemon
