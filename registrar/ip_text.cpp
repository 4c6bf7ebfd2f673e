#include "registrar/ip_text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

namespace bevmesh::registrar {
namespace {

using v4_bytes = std::array<unsigned char, 4>;
using v6_bytes = std::array<unsigned char, 16>;

template <class Bytes>
std::optional<Bytes> parse(int family, std::string_view text) {
    // inet_pton stops at a NUL, and would take what stands before it for the whole.
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return {};
    Bytes bytes{};
    if (inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return {};
    return bytes;
}

std::optional<v4_bytes> v4(std::string_view text) {
    return parse<v4_bytes>(AF_INET, text);
}
std::optional<v6_bytes> v6(std::string_view text) {
    return parse<v6_bytes>(AF_INET6, text);
}

std::optional<v4_bytes> mapped_v4(v6_bytes const& bytes) {
    static constexpr std::array<unsigned char, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (!std::equal(prefix.begin(), prefix.end(), bytes.begin())) return {};
    return v4_bytes{bytes[12], bytes[13], bytes[14], bytes[15]};
}

}  // namespace

bool is_ipv4(std::string_view text) {
    return v4(text).has_value();
}

bool is_ipv6(std::string_view text) {
    return v6(text).has_value();
}

bool is_loopback(std::string_view address) {
    if (address == "localhost") return true;
    if (auto const four = v4(address)) return (*four)[0] == 127;
    auto const six = v6(address);
    if (!six) return false;
    if (auto const four = mapped_v4(*six)) return (*four)[0] == 127;
    v6_bytes one{};
    one[15] = 1;
    return *six == one;
}

bool is_wildcard(std::string_view address) {
    if (address.empty()) return true;
    if (auto const four = v4(address)) return *four == v4_bytes{};
    auto const six = v6(address);
    if (!six) return false;
    if (auto const four = mapped_v4(*six)) return *four == v4_bytes{};
    return *six == v6_bytes{};
}

bool is_link_local(std::string_view address) {
    if (auto const four = v4(address)) return (*four)[0] == 169 && (*four)[1] == 254;
    if (address.starts_with("fe80:") && address.find('%') != std::string_view::npos) return true;
    auto const six = v6(address);
    return six && (*six)[0] == 0xfe && ((*six)[1] & 0xc0U) == 0x80;
}

bool is_host(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    if (is_ipv4(text) || is_ipv6(text)) return true;
    if (text.starts_with('-') || text.starts_with('.')) return false;
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    });
}

std::string host_port(std::string_view host, std::uint16_t port) {
    auto text = std::string(host);
    if (text.find(':') != std::string::npos && !text.starts_with('[')) text = "[" + text + "]";
    return text + ":" + std::to_string(port);
}

}  // namespace bevmesh::registrar
