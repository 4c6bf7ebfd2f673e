// Where others reach a container's port.
//
// In order: the address that somebody named for this service, the one configured for the node, the
// host address that Docker bound the port to, the node's address on the mesh. What only this host
// can connect to (a loopback binding) is not announced. Every choice is by a rule or by name:
// Docker lists networks in the order of a map, and registrator and Traefik announce what comes
// first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registrar/desired.hpp"

namespace bevmesh::registrar {

/// Whose bindings and networks count for a container.
struct network_place {
    enum class kind {
        bridged,  // networks of its own: ports are reachable where they are published
        host,     // the node's own network: every port is the node's
        none,     // no network
        unknown,  // container:X, and X is not known (yet)
    };
    kind is = kind::bridged;
    docker::container const* holder = nullptr;  // the container itself, or X of container:X
    bool joined = false;                        // in another container's network
};

[[nodiscard]] network_place place_of(docker::container const& container, context const& where);

/// A port of a container with all that it is published as.
struct open_port {
    docker::port_key inner;  // port 0: a service without a port
    std::vector<docker::port_binding> bindings;
    bool waiting = false;  // it is to be published and Docker has not bound it yet

    friend bool operator==(open_port const&, open_port const&) = default;
};

/// The ports that can be announced, by number: published ones (on the node's network: the exposed
/// ones) or, by container address, all exposed ones. In another container's network: of its ports
/// those that this container exposes. While a container restarts, Docker shows no bindings, and the
/// ones asked for with a fixed host port stand for them.
[[nodiscard]] std::vector<open_port> ports_of(docker::container const& container,
                                              network_place const& place, address_mode mode);

/// All published ports of the place, whatever the container exposes.
[[nodiscard]] std::vector<open_port> published_ports(network_place const& place);

struct address_wish {
    address_mode mode = address_mode::host;
    std::string address;     // named for this service: stands, even for a loopback binding
    std::string configured;  // for all of the node (registrator's -ip)
    std::string network;     // by container address: NAME, else PROJECT_NAME
};

struct endpoint {
    std::string address;  // literal or name, without brackets
    std::uint16_t port = 0;
    /// lan_ipv4 and lan_ipv6, when both are known (Consul's TaggedAddresses).
    std::map<std::string, std::pair<std::string, std::uint16_t>> tagged;

    friend bool operator==(endpoint const&, endpoint const&) = default;
};

/// Empty when nobody else can reach the port; the reason is a note in `out`, or `out.incomplete`.
[[nodiscard]] std::optional<endpoint> endpoint_of(open_port const& port, network_place const& place,
                                                  address_wish const& wish, context const& where,
                                                  docker::container const& container, desired& out);

/// Published, but nowhere that another node could connect to.
[[nodiscard]] bool is_loopback_only(open_port const& port, context const& where);

/// This node's address on the mesh; empty for a node that is not in the configuration.
[[nodiscard]] std::string node_address(context const& where);

}  // namespace bevmesh::registrar
