// Internet addresses as text: what kind one is, and how it stands before a port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bevmesh::registrar {

[[nodiscard]] bool is_ipv4(std::string_view text);
/// Without brackets and without zone.
[[nodiscard]] bool is_ipv6(std::string_view text);

/// 127.0.0.0/8, ::1, IPv4-mapped loopback, and the name localhost: nobody else can connect to it.
[[nodiscard]] bool is_loopback(std::string_view address);

/// "", 0.0.0.0 and :: stand for every address of the host.
[[nodiscard]] bool is_wildcard(std::string_view address);

/// Link-local (169.254.0.0/16, fe80::/10): means another thing on every link.
[[nodiscard]] bool is_link_local(std::string_view address);

/// An address literal, or a host name of letters, digits, '-', '.' and '_'.
[[nodiscard]] bool is_host(std::string_view text);

/// "host:port", an IPv6 literal in brackets (RFC 3986, 3.2.2).
[[nodiscard]] std::string host_port(std::string_view host, std::uint16_t port);

}  // namespace bevmesh::registrar
