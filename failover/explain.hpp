// The decision in words: what `failover explain`, the API and the log say, from the very values
// that decide.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "failover/candidates.hpp"

namespace bevmesh::failover {

struct explanation {
    std::string headline;            // what this node does now, and why
    std::vector<std::string> lines;  // a member each: would it be promoted now, and why not
};

[[nodiscard]] explanation explain(state const& s, policy const& p, instant now);

/// What is left of the lease, as this node knows it: of its own, or before it could be taken.
[[nodiscard]] nanoseconds lease_left(state const& s, policy const& p, instant now);

}  // namespace bevmesh::failover
