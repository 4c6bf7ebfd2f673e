// Services that the configuration names: of containers that match, and of the node itself.
#pragma once

#include <optional>
#include <vector>

#include "registrar/sources.hpp"

namespace bevmesh::registrar {

/// Every field that is given must fit: the exact container name; Compose's SERVICE or
/// PROJECT/SERVICE; a label "key" or "key=value"; an image by repository (any tag) or with tag or
/// digest, where docker.io/ and library/ may be left out. A match with no field at all fits
/// nothing.
[[nodiscard]] bool matches(match_config const& match, docker::container const& container);

/// The services of all instances on this node that match; empty when none does (an instance whose
/// port is not published matches, with a note). `port` is what others connect to: the container's
/// port behind it is looked up. Further ports are NAME-KEY; a check that names a KEY belongs to
/// NAME and to NAME-KEY.
[[nodiscard]] std::optional<std::vector<draft>> configured_drafts(subject const& s, desired& out);

/// The instances on this node that are no containers, with ID and address.
[[nodiscard]] std::vector<draft> host_drafts(context const& where);

}  // namespace bevmesh::registrar
