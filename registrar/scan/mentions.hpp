// Addresses in a text, with what stands around them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar::scan {

struct mention {
    std::size_t begin = 0;  // of the host in the text; brackets are part of it
    std::size_t end = 0;
    std::string host;  // without brackets
    std::optional<std::uint16_t> port;
    std::size_t port_end = 0;  // of host and port
    std::string scheme;        // of the URL whose host it is, in lower case
    std::string key;           // KEY= or KEY: right before it, in the same text
    std::string option;        // --option or word before it, dashes and all
    bool prefix = false;       // a network: "/24" behind it, or a range
    bool in_path = false;      // in the path or query of a URL
    bool name = false;         // no address but one of `names`
};

/// `names`: host names, in lower case, that count where only a host can stand. Nothing of what is
/// in a DSN's userinfo. IPv4 in four decimal parts, IPv6 with or without brackets.
[[nodiscard]] std::vector<mention> find_mentions(std::string_view text,
                                                 std::vector<std::string> const& names);

/// The number behind "port=", "PORT: ", "--port ", "-p " of this text, where it has one and no
/// more.
[[nodiscard]] std::optional<std::uint16_t> port_in(std::string_view text);

/// 1 to 65535 in digits.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept;

/// Whether a text has anything at all that find_mentions() could find; quick.
[[nodiscard]] bool may_mention(std::string_view text, std::vector<std::string> const& names);

}  // namespace bevmesh::registrar::scan
