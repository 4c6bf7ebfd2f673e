// Kinds of text: how each is checked, named in a message, and told to an editor by the JSON Schema.
//
// Pure. A format says what the text must look like, not whether it makes sense beside other keys:
// that is validate().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/base/time.hpp"

namespace bevmesh::config {

struct format {
    std::string_view expected;  // "an absolute path"
    /// Regular expression of the JSON Schema; may accept more than `accepts`, never less.
    std::string_view pattern;
    bool (*accepts)(std::string_view text);
};

namespace formats {

extern format const line_of_text;       // one to 512 bytes without control characters
extern format const label;              // RFC 1123: one part of a DNS name, lower case, up to 63
extern format const domain;             // labels with dots between
extern format const datacenter;         // Consul: lower case letters, digits, - and _
extern format const absolute_path;      // at most 4095 bytes
extern format const socket_path;        // an absolute path of at most 107 bytes (sun_path)
extern format const ip_address;         // IPv4 or IPv6, no brackets; one that can be connected to
extern format const host;               // an IP address or a DNS name
extern format const subnet;             // CIDR with no bit set behind the prefix
extern format const dns_endpoint;       // IP:PORT; IPv6 in brackets
extern format const loopback_endpoint;  // the same with a loopback address, or "off"
extern format const consul_address;     // HOST:PORT, http(s)://HOST:PORT, unix:///PATH
extern format const docker_address;     // unix:///PATH, tcp://HOST:PORT
extern format const container_name;     // Docker: [a-zA-Z0-9][a-zA-Z0-9_.-]+
extern format const network_name;       // Docker: [a-zA-Z0-9][a-zA-Z0-9_.-]*
extern format const compose_name;       // SERVICE or PROJECT/SERVICE
extern format const label_match;        // KEY or KEY=VALUE
extern format const image_match;        // REPOSITORY[:TAG] without blanks
extern format const url_path;           // begins with /, no blanks
extern format const method;             // an HTTP method, upper case
extern format const header_name;        // RFC 9110: token
extern format const header_value;       // no control characters
extern format const meta_key;           // Consul: [A-Za-z0-9_-], up to 128; none that is reserved
extern format const meta_value;         // Consul: up to 512 bytes
extern format const tag;                // up to 4096 bytes without control characters
extern format const https_address;      // https://HOST:PORT
extern format const vault_path;         // A-Z, a-z, 0-9, _, - and ., with / between parts
extern format const vault_name;         // a path of one part
extern format const certificate_name;   // a DNS name, or a user's that looks like one
extern format const user_name;          // of this machine: a user or group

}  // namespace formats

/// "250ms", "30s", "1m30s", "24h": whole numbers with ms, s, m or h, each unit once, falling.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(milliseconds duration);

/// Digits alone: no sign, no leading zero, no other base.
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// The part before the slash as 16 bytes (IPv4 as ::ffff:a.b.c.d), and the prefix within 128 bits.
struct address_range {
    std::array<std::uint8_t, 16> first{};
    unsigned prefix = 128;

    [[nodiscard]] bool contains(address_range const& other) const;
};
/// CIDR, or an address alone, which is a range of one. Bits behind the prefix may be set.
[[nodiscard]] std::optional<address_range> parse_range(std::string_view text);

}  // namespace bevmesh::config
