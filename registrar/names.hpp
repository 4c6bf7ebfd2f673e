// Names and IDs of services: what registrator makes of an image and a container, and what DNS
// allows.
#pragma once

#include <string>
#include <string_view>

#include "mesh/docker/types.hpp"

namespace bevmesh::registrar {

/// registrator's default name: the last component of an image reference, without tag. The digest is
/// cut off as well, where registrator says "foo@sha256". Empty for an image that is only an ID.
[[nodiscard]] std::string image_base(std::string_view image);

/// The nearest label of RFC 1123: [a-z0-9-], no '-' at an end, at most 63. Empty when nothing of
/// the text can be kept.
[[nodiscard]] std::string to_dns_label(std::string_view text);

/// True when Consul's DNS can find a service of this name (letters of either case, digits, '-').
[[nodiscard]] bool is_dns_label(std::string_view text);

/// registrator's scheme, `HOST:CONTAINER:PORT[:udp]` with the container's own port: the same IDs,
/// so that bevmesh takes over its entries instead of doubling them. Port 0: a service without one.
[[nodiscard]] std::string service_id(std::string_view host, docker::container const& container,
                                     docker::port_key const& port);

/// The container's name, or for one without the twelve digits that `docker ps` shows.
[[nodiscard]] std::string display_name(docker::container const& container);

/// Lower case of ASCII, whatever the locale.
[[nodiscard]] std::string to_lower(std::string_view text);

}  // namespace bevmesh::registrar
