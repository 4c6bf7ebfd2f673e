// What is left alone, and why.
#include <algorithm>
#include <array>
#include <initializer_list>

#include "registrar/ip_text.hpp"
#include "registrar/scan/inventory.hpp"
#include "registrar/scan/reference.hpp"

namespace bevmesh::registrar::scan {
namespace {

using std::string_view;

bool any_of(words const& in, std::initializer_list<string_view> wanted) {
    return std::ranges::any_of(wanted, [&](auto word) { return has_word(in, word); });
}

bool under(reference const& ref, std::initializer_list<string_view> keys) {
    return std::ranges::any_of(ref.path, [&](auto const& key) {
        auto const small = lower(key);
        return std::ranges::find(keys, string_view(small)) != keys.end();
    });
}

std::array<unsigned, 4> octets(string_view v4) {
    std::array<unsigned, 4> made{};
    std::size_t part = 0;
    for (char const c : v4) {
        if (c == '.')
            ++part;
        else if (part < 4)
            made[part] = made[part] * 10 + static_cast<unsigned>(c - '0');
    }
    return made;
}

/// RFC 1918, and RFC 6598, which VPNs use.
bool is_private(std::array<unsigned, 4> const& a) {
    return a[0] == 10 || (a[0] == 172 && a[1] >= 16 && a[1] < 32) || (a[0] == 192 && a[1] == 168) ||
           (a[0] == 100 && a[1] >= 64 && a[1] < 128);
}

bool is_public_dns(string_view address) {
    constexpr std::array<string_view, 16> known{"8.8.8.8",
                                                "8.8.4.4",
                                                "1.1.1.1",
                                                "1.0.0.1",
                                                "9.9.9.9",
                                                "149.112.112.112",
                                                "208.67.222.222",
                                                "208.67.220.220",
                                                "94.140.14.14",
                                                "94.140.15.15",
                                                "64.6.64.6",
                                                "64.6.65.6",
                                                "2001:4860:4860::8888",
                                                "2001:4860:4860::8844",
                                                "2606:4700:4700::1111",
                                                "2606:4700:4700::1001"};
    return std::ranges::find(known, address) != known.end();
}

/// By the address alone (RFC 6890's special purposes, and who serves DNS to everybody).
string_view special(string_view address) {
    if (is_loopback(address)) return "loopback: this host itself";
    if (is_wildcard(address)) return "every address of the host: something listens there";
    if (is_link_local(address)) return "link-local: another thing on every link";
    if (is_public_dns(address)) return "a public DNS server";
    if (!is_ipv4(address))
        return lower(address).starts_with("2001:db8:") ? "for documentation (RFC 3849)"
               : lower(address).starts_with("ff")      ? "multicast"
                                                       : "";
    auto const a = octets(address);
    bool const documentation = (a[0] == 192 && a[1] == 0 && a[2] == 2) ||
                               (a[0] == 198 && a[1] == 51 && a[2] == 100) ||
                               (a[0] == 203 && a[1] == 0 && a[2] == 113);
    if (documentation) return "for documentation (RFC 5737)";
    if (a[0] == 0) return "no address: a version";
    if (a[0] == 255) return "a mask, or broadcast";
    if (a[0] >= 224) return "multicast, or reserved";
    return "";
}

/// HOST_IP:PORT:CONTAINER_PORT: the host address that a port is published on.
bool publishes(reference const& ref) {
    bool const place = (ref.in == kind::compose && under(ref, {"ports"})) ||
                       ref.what.option == "-p" || ref.what.option == "--publish";
    return place && ref.what.scheme.empty();
}

bool is_version(reference const& ref, words const& key, bool known) {
    auto const& m = ref.what;
    bool const bare = !m.port && m.scheme.empty();
    if (bare && any_of(key, {"version", "versions", "tag", "release", "revision", "rev", "build"}))
        return true;
    if (any_of(key, {"image"})) return !m.port && m.begin != 0;
    if (!bare) return false;
    if (m.option == "=") return true;  // package==1.2.3.4
    auto const a = octets(m.host);
    return !known && is_ipv4(m.host) && !is_private(a) && !names_host(key) && !ref.port;
}

bool is_acl(words const& key) {
    return any_of(key, {"allow", "deny", "allowed", "denied", "trusted", "whitelist", "blacklist",
                        "allowlist", "denylist", "acl", "noproxy"}) ||
           (has_word(key, "no") && has_word(key, "proxy")) ||
           (has_word(key, "real") && has_word(key, "ip")) ||
           (has_word(key, "server") && has_word(key, "name"));
}

}  // namespace

std::optional<exemption> exempt(reference const& ref, bool known) {
    auto const& m = ref.what;
    auto key = words_of(ref.key);
    if (!ref.path.empty())
        for (auto const& word : words_of(ref.path.back()))
            key.push_back(word);
    bool const bare = m.scheme.empty() && !m.port;
    if (!m.name)
        if (auto const why = special(m.host); !why.empty()) return exemption{std::string(why)};
    if (ref.in == kind::hosts) return exemption{"a hosts file maps names to addresses", known};
    if (m.scheme.empty() && names_secret(key)) return exemption{"part of a secret"};
    if (m.prefix) return exemption{"a network or a range of addresses"};
    if (under(ref, {"extra_hosts", "extrahosts", "hostaliases"}) || m.option == "--add-host")
        return exemption{"extra_hosts takes only addresses; remove the entry once nobody uses it",
                         known};
    if (m.scheme.empty() &&
        (any_of(key, {"dns", "nameserver", "nameservers", "resolver", "resolvers"}) ||
         under(ref, {"dns", "nameservers"})))
        return exemption{"a DNS server's place takes only addresses", known};
    if (under(ref, {"ipam", "subnets"}) ||
        (bare && any_of(key, {"subnet", "subnets", "cidr", "cidrs", "netmask", "mask", "gateway",
                              "broadcast", "ipam", "ipv4", "ipv6"})))
        return exemption{"part of a network's own numbers"};
    if (publishes(ref)) return exemption{"the host's address that a port is published on"};
    if (any_of(key, {"bind", "binds", "listen", "listener", "listeners", "advertise", "advertised",
                     "announce", "publish"}) ||
        (has_word(key, "host") && has_word(key, "ip") && under(ref, {"ports"})))
        return exemption{"an own address, to listen on or to announce"};
    if (is_acl(key)) return exemption{"a list of who may, or whom to match: no destination"};
    if (is_version(ref, key, known)) return exemption{"a version, by its key or its looks"};
    if (m.in_path && !known) return exemption{"in a URL's path"};
    if (bare && !known && m.host.ends_with(".0") && is_ipv4(m.host))
        return exemption{"a network's number"};
    return std::nullopt;
}

}  // namespace bevmesh::registrar::scan
