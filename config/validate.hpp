// What must hold across keys: that names refer to something, that ports and subnets do not collide,
// that a check fits the service it is of.
//
// Pure. Every violation is reported, at the place of the key that breaks the rule; what follows
// from a problem that the reader had already is not.
#pragma once

#include <vector>

#include "config/problem.hpp"
#include "mesh/base/config.hpp"

namespace bevmesh::config {

/// `where` as the reader left it; empty for a configuration that is from no document.
[[nodiscard]] std::vector<problem> validate(mesh_config const& config, locations const& where);

/// Of Consul's 64 pairs of Meta, those that bevmesh's own marks leave.
inline constexpr std::size_t most_meta_pairs = 56;

}  // namespace bevmesh::config
