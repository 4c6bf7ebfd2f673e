// A database in a container: found by its name, held by the pid of its init.
#pragma once

#include "failover/driver/housing.hpp"
#include "mesh/docker/client.hpp"

namespace bevmesh::failover {

/// `engine` must outlive it.
[[nodiscard]] std::unique_ptr<housing> make_container_housing(docker::client& engine,
                                                              std::string container);

}  // namespace bevmesh::failover
