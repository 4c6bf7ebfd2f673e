// /etc/resolv.conf and /proc/net/udp taken apart. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "registrar/dns/facts.hpp"

namespace bevmesh::registrar::dns {

/// As libc reads it (resolv.conf(5)): keywords at the start of a line, more than three nameservers
/// are ignored; anything else is kept as it stands.
[[nodiscard]] resolv_conf parse_resolv_conf(std::string_view text);

struct udp_socket {
    std::string address;
    std::uint16_t port = 0;
    std::uint64_t inode = 0;

    friend bool operator==(udp_socket const&, udp_socket const&) = default;
};

/// The lines of /proc/net/udp or /proc/net/udp6 (proc(5)); lines that are none are passed over.
/// Addresses are in the byte order of this machine, which is little-endian on all we serve.
[[nodiscard]] std::vector<udp_socket> parse_proc_udp(std::string_view text);

[[nodiscard]] program program_of(std::string_view command);

}  // namespace bevmesh::registrar::dns
