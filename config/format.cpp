// The kinds of text.
#include "config/format.hpp"

#include <algorithm>
#include <string>

namespace bevmesh::config {
namespace {

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}
bool is_control(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool is_text(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most && std::ranges::none_of(text, is_control);
}

bool is_label(std::string_view text) {
    auto const allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, allowed) &&
           text.front() != '-' && text.back() != '-';
}

bool is_domain(std::string_view text) {
    if (text.size() > 253) return false;
    while (true) {
        auto const dot = text.find('.');
        if (!is_label(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_path(std::string_view text) {
    return text.starts_with('/') && is_text(text, 4095);
}

// An address that a packet can be sent to: neither unspecified nor multicast nor broadcast.
bool is_address(std::string_view text) {
    auto const range = parse_range(text);
    if (!range || text.find('/') != std::string_view::npos) return false;
    bool const is_v4 = text.find(':') == std::string_view::npos;
    auto const leading = range->first[is_v4 ? 12 : 0];
    bool const unspecified = std::all_of(range->first.begin() + (is_v4 ? 12 : 0),
                                         range->first.end(), [](auto b) { return b == 0; });
    bool const multicast = is_v4 ? leading >= 224 : leading == 0xff;
    return !unspecified && !multicast;
}

bool is_vault_part(std::string_view text) {
    auto const allowed = [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; };
    return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, allowed);
}

bool is_vault_path(std::string_view text) {
    for (;;) {
        auto const slash = text.find('/');
        if (!is_vault_part(text.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

bool is_loopback_address(std::string_view text) {
    auto const range = parse_range(text);
    auto const v4 = parse_range("127.0.0.0/8");
    auto const v6 = parse_range("::1");
    return is_address(text) && (v4->contains(*range) || v6->contains(*range));
}

bool is_host(std::string_view text) {
    if (is_address(text)) return true;
    // What has digits alone behind its last dot is a mistyped address, not a name (RFC 1123 2.1).
    auto const last = text.substr(text.find_last_of('.') + 1);
    return is_domain(text) && !std::ranges::all_of(last, is_digit);
}

// HOST:PORT, where an IPv6 address is in brackets.
bool is_endpoint(std::string_view text, bool (*host_part)(std::string_view)) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    auto const port = parse_unsigned(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    bool const bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    bool const is_v6 = host.find(':') != std::string_view::npos;
    return port && *port >= 1 && *port <= 65535 && is_v6 == bracketed && host_part(host);
}

bool after(std::string_view text, std::string_view prefix, bool (*rest)(std::string_view)) {
    return text.starts_with(prefix) && rest(text.substr(prefix.size()));
}

bool is_host_and_port(std::string_view text) {
    return is_endpoint(text, is_host);
}
bool is_socket_path(std::string_view text) {
    return is_path(text) && text.size() <= 107;
}

bool is_subnet(std::string_view text) {
    auto const range = parse_range(text);
    if (!range || text.find('/') == std::string_view::npos) return false;
    for (unsigned bit = range->prefix; bit < 128; ++bit)
        if ((range->first[bit / 8] & (0x80U >> (bit % 8))) != 0) return false;
    return true;
}

bool is_name_char(char c) {
    return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

bool is_network_name(std::string_view text) {
    return !text.empty() && text.size() <= 255 && is_alnum(text.front()) &&
           std::ranges::all_of(text, is_name_char);
}

bool is_container_name(std::string_view text) {
    return text.size() >= 2 && is_network_name(text);
}

bool is_compose_part(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, is_name_char);
}

bool is_compose_name(std::string_view text) {
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return is_compose_part(text);
    return is_compose_part(text.substr(0, slash)) && is_compose_part(text.substr(slash + 1));
}

bool has_no_blank(std::string_view text) {
    return is_text(text, 2048) && text.find(' ') == std::string_view::npos;
}

bool is_token(std::string_view text) {
    auto const allowed = [](char c) {
        return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, allowed);
}

bool is_meta_key(std::string_view text) {
    auto const allowed = [](char c) { return is_alnum(c) || c == '_' || c == '-'; };
    bool const reserved =
        text.starts_with("consul-") || text.starts_with("bevmesh-") || text == "external-source";
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, allowed) && !reserved;
}

bool is_user_name(std::string_view text) {
    auto const allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; };
    return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, allowed) &&
           (is_lower(text.front()) || text.front() == '_');
}

}  // namespace

namespace formats {

format const line_of_text{"text of 1 to 512 bytes without control characters", "^[^\\x00-\\x1f]+$",
                          [](std::string_view t) { return is_text(t, 512); }};
format const label{"a DNS label (RFC 1123): a-z, 0-9 and -, at most 63, no - at either end",
                   "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_label};
format const domain{"a DNS name in lower case, such as consul", "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
                    is_domain};
format const datacenter{
    "a name of a-z, 0-9, - and _, at most 64", "^[a-z0-9_-]{1,64}$", [](std::string_view t) {
        return !t.empty() && t.size() <= 64 && std::ranges::all_of(t, [](char c) {
            return is_lower(c) || is_digit(c) || c == '-' || c == '_';
        });
    }};
format const absolute_path{"an absolute path", "^/", is_path};
format const socket_path{"an absolute path of at most 107 bytes", "^/.{0,106}$", is_socket_path};
format const ip_address{"an IPv4 or IPv6 address that can be connected to", "^[0-9a-fA-F.:]+$",
                        is_address};
format const host{"an IPv4 or IPv6 address or a DNS name", "^[0-9a-fA-F.:]+$|^[a-z0-9.-]+$",
                  is_host};
format const subnet{
    "a subnet in CIDR notation with no bit set behind the prefix, such as "
    "172.30.0.0/16",
    "^[0-9a-fA-F.:]+/[0-9]+$", is_subnet};
format const dns_endpoint{"IP:PORT, such as 127.0.0.1:8600 or [::1]:8600", "^.+:[0-9]+$",
                          [](std::string_view t) { return is_endpoint(t, is_address); }};
format const loopback_endpoint{
    "IP:PORT with a loopback address, such as 127.0.0.1:9701, or off", "^(off|.+:[0-9]+)$",
    [](std::string_view t) { return t == "off" || is_endpoint(t, is_loopback_address); }};
format const consul_address{"HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:///PATH",
                            "^(.+:[0-9]+|unix:///.+)$", [](std::string_view t) {
                                return is_host_and_port(t) ||
                                       after(t, "http://", is_host_and_port) ||
                                       after(t, "https://", is_host_and_port) ||
                                       after(t, "unix://", is_socket_path);
                            }};
format const https_address{"https://HOST:PORT", "^https://.+:[0-9]+$", [](std::string_view t) {
                               return after(t, "https://", is_host_and_port);
                           }};
format const vault_path{"a path of A-Z, a-z, 0-9, _, - and ., without / at either end",
                        "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", is_vault_path};
format const vault_name{"a name of A-Z, a-z, 0-9, _, - and .", "^[A-Za-z0-9_.-]+$", is_vault_part};
// As Vault takes it for a common name: no _.
format const certificate_name{"a name of A-Z, a-z, 0-9, - and ., at most 253",
                              "^[A-Za-z0-9.-]{1,253}$", [](std::string_view t) {
                                  return is_vault_part(t) && t.size() <= 253 &&
                                         t.find('_') == std::string_view::npos;
                              }};
format const docker_address{
    "unix:///PATH or tcp://HOST:PORT", "^(unix:///|tcp://).+$", [](std::string_view t) {
        return after(t, "unix://", is_socket_path) || after(t, "tcp://", is_host_and_port);
    }};
format const container_name{
    "a container's name: two or more of a-z, A-Z, 0-9, _, . and -, the first a letter or digit",
    "^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", is_container_name};
format const network_name{
    "a network's name of a-z, A-Z, 0-9, _, . and -, the first a letter or digit",
    "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$", is_network_name};
format const compose_name{"a Compose service, SERVICE or PROJECT/SERVICE",
                          "^[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)?$", is_compose_name};
format const label_match{
    "a container label, KEY or KEY=VALUE", "^[^=]+(=.*)?$",
    [](std::string_view t) { return is_text(t, 2048) && !t.starts_with('='); }};
format const image_match{"an image, REPOSITORY or REPOSITORY:TAG", "^[^ ]+$", has_no_blank};
format const url_path{"a path that begins with /, without blanks", "^/[^ ]*$",
                      [](std::string_view t) { return t.starts_with('/') && has_no_blank(t); }};
format const method{"an HTTP method in upper case, such as GET", "^[A-Z]{1,20}$",
                    [](std::string_view t) {
                        return !t.empty() && t.size() <= 20 &&
                               std::ranges::all_of(t, [](char c) { return c >= 'A' && c <= 'Z'; });
                    }};
format const header_name{"the name of an HTTP header", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", is_token};
format const header_value{"text of at most 4096 bytes without control characters",
                          "^[^\\x00-\\x1f]*$",
                          [](std::string_view t) { return t.empty() || is_text(t, 4096); }};
format const meta_key{
    "a key of at most 128 of A-Z, a-z, 0-9, _ and -, none of consul-*, bevmesh-* "
    "and external-source, which are reserved",
    "^(?!consul-|bevmesh-|external-source$)[A-Za-z0-9_-]{1,128}$", is_meta_key};
format const meta_value{"text of at most 512 bytes without control characters", "^.{0,512}$",
                        [](std::string_view t) { return t.empty() || is_text(t, 512); }};
format const tag{"text of 1 to 4096 bytes without control characters", "^.{1,4096}$",
                 [](std::string_view t) { return is_text(t, 4096); }};
format const user_name{"the name of a group of the machine", "^[a-z_][a-z0-9_-]{0,31}$",
                       is_user_name};

}  // namespace formats
}  // namespace bevmesh::config
