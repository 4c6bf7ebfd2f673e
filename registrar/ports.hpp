// A container's services by its ports, for the sources that give it one name.
//
// NAME is the main port, so that NAME.service.consul answers however many ports there are; every
// other port is NAME-PORT, by the container's own number as in registrator. The main port is the
// one that bevmesh.port says, else the lowest TCP port that others can reach, else the lowest of
// all.
#pragma once

#include <string>
#include <vector>

#include "registrar/sources.hpp"

namespace bevmesh::registrar {

/// Of every port that can be announced.
[[nodiscard]] std::vector<draft> drafts_by_port(subject const& s, std::string const& name);

/// As the labels say: bevmesh.PORT.name is a service of that name. With bevmesh.port there is
/// besides these the main port only; with bevmesh.name or enable, but no bevmesh.port, all other
/// ports; a container without any port becomes a service without one (port 0).
[[nodiscard]] std::vector<draft> label_drafts(subject const& s, std::string const& name,
                                              desired& out);

}  // namespace bevmesh::registrar
