// A configuration in 16 characters, so that nodes can see whether they have the same.
#pragma once

#include <string>

#include "mesh/base/config.hpp"

namespace bevmesh::daemon {

/// Of everything that the file says, comments and order aside.
[[nodiscard]] std::string fingerprint_of(mesh_config const& config);

}  // namespace bevmesh::daemon
