#include "registrar/dns/resolv_conf.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace bevmesh::registrar::dns {
namespace {

constexpr std::size_t nameservers_max = 3;  // MAXNS of glibc and musl

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        auto const end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    constexpr auto blanks = " \t\r";
    for (auto at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
        auto const end = std::min(line.find_first_of(blanks, at), line.size());
        words.push_back(line.substr(at, end - at));
        at = line.find_first_not_of(blanks, end);
    }
    return words;
}

/// Those who write the file say so in a comment at its top.
std::string generator_of(std::vector<std::string> const& lines) {
    constexpr std::array<std::pair<char const*, char const*>, 6> known{{
        {"NetworkManager", "NetworkManager"},
        {"resolvconf(8)", "resolvconf"},
        {"resolvconf", "resolvconf"},
        {"systemd-resolved", "systemd-resolved"},
        {"connman", "ConnMan"},
        {"dhcpcd", "dhcpcd"},
    }};
    for (auto const& line : lines) {
        if (line.empty() || (line.front() != '#' && line.front() != ';')) continue;
        for (auto const& [mark, name] : known)
            if (line.find(mark) != std::string::npos) return name;
    }
    return {};
}

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
    Number n = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

/// 8 hexadecimal digits a 32-bit word.
std::optional<std::string> address_of(std::string_view hex) {
    if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < hex.size() / 8; ++i) {
        auto const word = number<std::uint32_t>(hex.substr(i * 8, 8), 16);
        if (!word) return std::nullopt;
        std::memcpy(bytes.data() + i * 4, &*word, 4);
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(hex.size() == 8 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
    return std::string(text.data());
}

}  // namespace

resolv_conf parse_resolv_conf(std::string_view text) {
    resolv_conf read;
    read.present = true;
    auto const lines = lines_of(text);
    for (auto const& line : lines) {
        auto const words = words_of(line);
        if (words.size() >= 2 && words[0] == "nameserver" && line.starts_with("nameserver")) {
            if (read.nameservers.size() < nameservers_max) read.nameservers.emplace_back(words[1]);
        } else {
            read.others.push_back(line);
        }
    }
    read.generator = generator_of(read.others);
    return read;
}

std::vector<udp_socket> parse_proc_udp(std::string_view text) {
    std::vector<udp_socket> all;
    for (auto const& line : lines_of(text)) {
        auto const words = words_of(line);
        if (words.size() < 10) continue;
        auto const colon = words[1].find(':');
        if (colon == std::string_view::npos) continue;
        auto address = address_of(words[1].substr(0, colon));
        auto const port = number<std::uint16_t>(words[1].substr(colon + 1), 16);
        auto const inode = number<std::uint64_t>(words[9], 10);
        if (address && port && inode) all.push_back({std::move(*address), *port, *inode});
    }
    return all;
}

program program_of(std::string_view command) {
    if (command.starts_with("systemd-resolve")) return program::resolved;
    if (command == "dnsmasq") return program::dnsmasq;
    if (command == "unbound") return program::unbound;
    return program::other;
}

}  // namespace bevmesh::registrar::dns
