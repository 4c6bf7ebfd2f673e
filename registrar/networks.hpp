// Which of a container's networks is meant when its own address is announced.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registrar/desired.hpp"

namespace bevmesh::registrar {

/// By name (`named`: NAME, else PROJECT_NAME as Compose calls it), else the first of `preferred`
/// that the container is on, else its only network, else the first by name. A named network that
/// the container is not on gives none: an address that was not asked for is worse than no service.
/// Null with a note in `out`, or with `out.incomplete` while an address is not assigned yet.
/// `holder` has the networks; `container` is whom the notes are about.
[[nodiscard]] docker::network_endpoint const* choose_network(
    docker::container const& holder, std::string_view named,
    std::vector<std::string> const& preferred, docker::container const& container, desired& out);

}  // namespace bevmesh::registrar
