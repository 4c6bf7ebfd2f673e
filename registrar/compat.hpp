// Services as gliderlabs/registrator makes them, for containers that were written for it.
//
// Names, IDs, tags, meta, addresses by its flags and its one check are the same, so that an admin
// changes only the binary. Deliberately different: check_* settings do not end up in Meta; on a
// user-defined network the host's address goes with the host's port (registrator: the container's
// address with the host's port); a digest is no part of a name; CHECK_SCRIPT is split into
// arguments; CHECK_TLS_SKIP_VERIFY and CHECK_TIMEOUT hold for every kind (as in
// fayrus/registrator); loopback bindings are not announced. From metabrainz/serviceregistrator:
// SERVICE_IP, CHECK_HEADER, CHECK_BODY, CHECK_DOCKER with CHECK_SHELL, CHECK_DEREGISTER.
#pragma once

#include <vector>

#include "registrar/compat_keys.hpp"
#include "registrar/sources.hpp"

namespace bevmesh::registrar {

/// One draft a port that is published (`-internal`: exposed) and not ignored. With empty keys: what
/// registrator makes of a container that says nothing.
[[nodiscard]] std::vector<draft> compat_drafts(subject const& s, compat_keys const& keys,
                                               desired& out);

}  // namespace bevmesh::registrar
