// The one check that registrator makes of SERVICE_CHECK_*.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "registrar/compat_keys.hpp"
#include "registrar/registration.hpp"

namespace bevmesh::registrar {

/// Of several settings one decides, in registrator's order: http, https, cmd, script, ttl, tcp,
/// grpc; after these metabrainz' docker. Empty without any of them, or when the deciding one cannot
/// be understood (a note says so: Consul would refuse the whole service for it).
[[nodiscard]] std::optional<check_config> compat_check(port_settings const& settings,
                                                       docker::port_key const& port,
                                                       docker::container const& container,
                                                       std::vector<note>& notes);

}  // namespace bevmesh::registrar
