#include "registrar/address.hpp"

#include <algorithm>
#include <set>

#include "registrar/ip_text.hpp"
#include "registrar/names.hpp"
#include "registrar/networks.hpp"

namespace bevmesh::registrar {
namespace {

using kind = network_place::kind;

constexpr std::string_view joins = "container:";

std::vector<docker::port_binding> bound(std::vector<docker::port_binding> bindings) {
    std::erase_if(bindings, [](auto const& b) { return b.host_port == 0; });
    return bindings;
}

open_port published(docker::container const& holder, docker::port_key const& key) {
    open_port port{key, {}, false};
    if (auto const at = holder.ports.find(key); at != holder.ports.end())
        port.bindings = bound(at->second);
    auto const wanted = holder.wanted_ports.find(key);
    if (!port.bindings.empty() || wanted == holder.wanted_ports.end() || wanted->second.empty())
        return port;
    if (holder.state == docker::run_state::restarting) port.bindings = bound(wanted->second);
    port.waiting = port.bindings.empty();
    return port;
}

std::set<docker::port_key> keys_of(docker::container const& c) {
    std::set<docker::port_key> keys;
    for (auto const& [key, bindings] : c.ports)
        keys.insert(key);
    for (auto const& [key, bindings] : c.wanted_ports)
        keys.insert(key);
    keys.insert(c.exposed.begin(), c.exposed.end());
    keys.erase(keys.begin(), keys.lower_bound({1, ""}));
    return keys;
}

// Lower is better. A binding that takes connections to the node's own mesh address is what others
// reach for sure; a specific address may be on any network of the host.
int rank(docker::port_binding const& b, std::string const& node) {
    constexpr int last = 99;
    bool const node_is_v6 = is_ipv6(node);
    if (b.host_ip == node && !node.empty()) return 0;
    if (is_wildcard(b.host_ip)) {
        bool const is_v6 = is_ipv6(b.host_ip);
        return b.host_ip.empty() || is_v6 == node_is_v6 ? 1 : 6;
    }
    if (is_loopback(b.host_ip)) return last;
    int const link_local = is_link_local(b.host_ip) ? 2 : 0;
    return (is_ipv6(b.host_ip) ? 3 : 2) + link_local;
}

std::string address_behind(docker::port_binding const& b, std::string const& node) {
    return is_wildcard(b.host_ip) ? node : b.host_ip;
}

void warn_loopback(open_port const& port, docker::container const& container, desired& out) {
    out.notes.push_back({note::severity::warning, "loopback-binding",
                         "container " + display_name(container) + ": port " +
                             std::to_string(port.inner.port) + " is published on " +
                             host_port(port.bindings[0].host_ip, port.bindings[0].host_port) +
                             " only, where no other node can connect; it is not announced"});
}

void tag_families(endpoint& at, std::vector<docker::port_binding> const& by_rank,
                  std::string const& node) {
    std::map<std::string, std::pair<std::string, std::uint16_t>> tagged;
    for (auto const& b : by_rank) {
        auto const address = address_behind(b, node);
        if (is_link_local(address)) continue;
        if (is_ipv4(address)) tagged.emplace("lan_ipv4", std::pair(address, b.host_port));
        if (is_ipv6(address)) tagged.emplace("lan_ipv6", std::pair(address, b.host_port));
    }
    if (tagged.size() == 2) at.tagged = std::move(tagged);
}

std::optional<endpoint> host_endpoint(open_port const& port, address_wish const& wish,
                                      std::string const& node, docker::container const& container,
                                      desired& out) {
    if (port.waiting) out.incomplete = true;
    if (port.bindings.empty()) return {};
    auto usable = port.bindings;
    if (wish.address.empty() && !is_loopback(node))
        std::erase_if(usable, [](auto const& b) { return is_loopback(b.host_ip); });
    if (usable.empty()) {
        warn_loopback(port, container, out);
        return {};
    }
    // Stable: of equals the one that Docker lists first, as registrator.
    std::ranges::stable_sort(usable, {}, [&](auto const& b) { return rank(b, node); });
    endpoint at;
    at.port = usable.front().host_port;
    if (!wish.address.empty()) {
        at.address = wish.address;
    } else if (!wish.configured.empty()) {
        at.address = wish.configured;
    } else {
        at.address = address_behind(usable.front(), node);
        tag_families(at, usable, node);
    }
    return at;
}

std::optional<endpoint> container_endpoint(open_port const& port, network_place const& place,
                                           address_wish const& wish, context const& where,
                                           docker::container const& container, desired& out) {
    if (!wish.address.empty()) return endpoint{wish.address, port.inner.port, {}};
    auto const* network = choose_network(*place.holder, wish.network,
                                         where.config->registrar.networks, container, out);
    if (!network) return {};
    endpoint at{network->ip.empty() ? network->ip6 : network->ip, port.inner.port, {}};
    if (!network->ip.empty() && !network->ip6.empty())
        at.tagged = {{"lan_ipv4", {network->ip, at.port}}, {"lan_ipv6", {network->ip6, at.port}}};
    return at;
}

}  // namespace

network_place place_of(docker::container const& container, context const& where) {
    network_place place{kind::bridged, &container, false};
    // Docker refuses chains of container:X; a damaged answer must not make us follow a circle.
    for (int steps = 0; place.holder->network_mode.starts_with(joins); ++steps) {
        auto const id = std::string_view(place.holder->network_mode).substr(joins.size());
        place.joined = true;
        place.holder = where.find_container && steps < 3 ? where.find_container(id) : nullptr;
        if (!place.holder) return {kind::unknown, nullptr, true};
    }
    if (place.holder->network_mode == "host") place.is = kind::host;
    if (place.holder->network_mode == "none") place.is = kind::none;
    return place;
}

std::vector<open_port> published_ports(network_place const& place) {
    std::vector<open_port> ports;
    if (place.is != kind::bridged) return ports;
    for (auto const& key : keys_of(*place.holder)) {
        auto port = published(*place.holder, key);
        if (port.waiting || !port.bindings.empty()) ports.push_back(std::move(port));
    }
    return ports;
}

std::vector<open_port> ports_of(docker::container const& container, network_place const& place,
                                address_mode mode) {
    std::vector<open_port> ports;
    if (place.is == kind::none || place.is == kind::unknown) return ports;
    if (place.is == kind::bridged && mode == address_mode::host) {
        ports = published_ports(place);
        if (place.joined)
            std::erase_if(ports, [&](auto const& p) {
                return std::ranges::find(container.exposed, p.inner) == container.exposed.end();
            });
        return ports;
    }
    for (auto const& key : keys_of(container))
        ports.push_back({key, {}, false});
    return ports;
}

std::optional<endpoint> endpoint_of(open_port const& port, network_place const& place,
                                    address_wish const& wish, context const& where,
                                    docker::container const& container, desired& out) {
    auto const node = node_address(where);
    if (place.is == kind::unknown) {
        out.incomplete = true;
        return {};
    }
    if (place.is == kind::bridged && wish.mode == address_mode::container)
        return container_endpoint(port, place, wish, where, container, out);
    if (place.is == kind::bridged && port.inner.port != 0)
        return host_endpoint(port, wish, node, container, out);
    endpoint at{node, port.inner.port, {}};
    if (!wish.configured.empty()) at.address = wish.configured;
    if (!wish.address.empty()) at.address = wish.address;
    return at;
}

bool is_loopback_only(open_port const& port, context const& where) {
    return !port.bindings.empty() && !is_loopback(node_address(where)) &&
           std::ranges::all_of(port.bindings, [](auto const& b) { return is_loopback(b.host_ip); });
}

std::string node_address(context const& where) {
    auto const at = where.config->nodes.find(where.node);
    return at == where.config->nodes.end() ? std::string() : at->second.address;
}

}  // namespace bevmesh::registrar
