#include "mesh/net/http.hpp"

#include <algorithm>
#include <charconv>

namespace bevmesh::net {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

failure not_an_endpoint(std::string const& text, std::string const& why) {
    return {errc::bad_input, "address \"" + text + "\": " + why};
}

/// Host and port of "host", "host:port", "[v6]", "[v6]:port"; a bare IPv6 literal has no port.
result<endpoint> split_host(std::string const& text, std::string_view rest, endpoint parsed) {
    auto port = std::string_view();
    bool has_port = false;
    if (starts_with(rest, "[")) {
        auto const close = rest.find(']');
        if (close == std::string_view::npos) return not_an_endpoint(text, "no closing bracket");
        parsed.host = rest.substr(1, close - 1);
        port = rest.substr(close + 1);
        has_port = !port.empty();
        if (has_port && port.front() != ':') return not_an_endpoint(text, "expected [host]:port");
        if (has_port) port.remove_prefix(1);
    } else if (std::count(rest.begin(), rest.end(), ':') > 1) {
        parsed.host = rest;
    } else {
        auto const colon = rest.find(':');
        parsed.host = rest.substr(0, colon);
        has_port = colon != std::string_view::npos;
        if (has_port) port = rest.substr(colon + 1);
    }
    if (parsed.host.empty()) return not_an_endpoint(text, "no host");
    auto const fits = [](char c) {
        return c > ' ' && c < 127 && c != '/' && c != '@' && c != '\\';
    };
    if (!std::all_of(parsed.host.begin(), parsed.host.end(), fits)) {
        return not_an_endpoint(text, "not a host name");
    }
    if (!has_port) return parsed;
    auto const* const end = port.data() + port.size();
    auto const read = std::from_chars(port.data(), end, parsed.port);
    if (port.empty() || read.ec != std::errc() || read.ptr != end || parsed.port == 0) {
        return not_an_endpoint(text, "the port is not a number from 1 to 65535");
    }
    return parsed;
}

}  // namespace

result<endpoint> parse_endpoint(std::string const& text, std::uint16_t default_port) {
    endpoint parsed;
    parsed.port = default_port;
    auto rest = std::string_view(text);
    if (starts_with(rest, "unix://")) {
        parsed.transport = endpoint::kind::unix_socket;
        parsed.port = 0;
        parsed.path = rest.substr(7);
        if (!starts_with(parsed.path, "/")) {
            return not_an_endpoint(text, "expected an absolute path, unix:///run/...");
        }
        return parsed;
    }
    if (starts_with(rest, "https://")) {
        parsed.transport = endpoint::kind::tls;
        rest.remove_prefix(8);
    } else if (starts_with(rest, "http://") || starts_with(rest, "tcp://")) {
        rest.remove_prefix(rest.find("//") + 2);
    } else if (rest.find("://") != std::string_view::npos) {
        return not_an_endpoint(text, "expected http://, https:// or unix://");
    }
    if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
    return split_host(text, rest, std::move(parsed));
}

std::string to_string(endpoint const& e) {
    if (e.transport == endpoint::kind::unix_socket) return "unix://" + e.path;
    auto const host = e.host.find(':') == std::string::npos ? e.host : "[" + e.host + "]";
    auto const scheme = e.transport == endpoint::kind::tls ? "https://" : "";
    return scheme + host + ":" + std::to_string(e.port);
}

std::string_view http_response::header(std::string_view name) const noexcept {
    auto const same = [](char a, char b) { return lower(a) == lower(b); };
    for (auto const& [key, value] : headers) {
        if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same)) return value;
    }
    return {};
}

failure status_failure(http_request const& request, endpoint const& peer, unsigned status,
                       std::string_view reason) {
    auto code = errc::bad_answer;
    if (status == 400) code = errc::bad_input;
    if (status == 401 || status == 403) code = errc::forbidden;
    if (status == 404) code = errc::not_found;
    if (status == 409 || status == 412) code = errc::conflict;
    if (status == 429 || status >= 500) code = errc::remote_error;
    constexpr std::size_t told_max = 300;
    auto line = reason.substr(0, reason.find_first_of("\r\n")).substr(0, told_max);
    auto doing = request.method + " " + request.target + " at " + to_string(peer) + ": " +
                 std::to_string(status);
    if (!line.empty()) doing.append(" ").append(line);
    return {code, std::move(doing)};
}

std::string percent_encode(std::string_view text) {
    constexpr auto digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char const c : text) {
        bool const plain = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                           c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace bevmesh::net
