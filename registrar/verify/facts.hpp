// What `bevmesh verify` knows of the mesh before it judges: what each node's daemon saw, and what
// Consul's catalog holds. Pure.
//
// node_facts crosses the wire as JSON (GET /v1/node), between daemons that may be of different
// versions: members that are missing are empty, a wrong type is errc::bad_answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/base/result.hpp"
#include "mesh/consul/types.hpp"

namespace bevmesh::registrar::verify {

/// Whether a part of the node answers, and if not, why.
struct reach {
    bool ok = false;
    std::string trouble;

    friend bool operator==(reach const&, reach const&) = default;
};

struct network_fact {
    std::string name;
    std::string driver;
    std::vector<std::string> subnets;

    friend bool operator==(network_fact const&, network_fact const&) = default;
};

/// A container that some instance of the configuration matches, on this node or not.
struct container_fact {
    std::string name;
    std::string state;   // Docker's word: running, paused, restarting
    std::string health;  // none, starting, healthy, unhealthy
    std::vector<std::string> services;

    friend bool operator==(container_fact const&, container_fact const&) = default;
};

/// An entry of the node's own Consul agent.
struct entry_fact {
    std::string id;
    std::string name;

    friend bool operator==(entry_fact const&, entry_fact const&) = default;
};

/// What the node's registrar makes of a service (registrar::service_view).
struct view_fact {
    std::string id;
    std::string name;
    std::string container;  // empty: a process of the node
    std::string phase;      // announced, announcing, removing, refused, failing
    std::string detail;

    friend bool operator==(view_fact const&, view_fact const&) = default;
};

/// The addresses (A and AAAA) of a name; NXDOMAIN is no trouble, but none.
struct name_fact {
    std::vector<std::string> addresses;
    std::string trouble;  // the server failed, or said nothing

    friend bool operator==(name_fact const&, name_fact const&) = default;
};

struct node_facts {
    std::string node;
    std::string version;
    std::string config_hash;
    std::int64_t wall_ms = 0;  // Unix time when it had looked, right before it answered
    std::int64_t took_ms = 0;  // the looking: not part of the way between the nodes
    reach docker;
    std::vector<network_fact> networks;
    std::vector<container_fact> containers;
    reach consul;
    bool leader = false;  // the agent knows one
    std::vector<entry_fact> entries;
    std::vector<view_fact> views;
    // By service.
    std::map<std::string, name_fact> consul_dns;
    std::map<std::string, name_fact> host_dns;

    friend bool operator==(node_facts const&, node_facts const&) = default;
};

/// Without `facts`: nobody could ask the node, and `trouble` says why.
struct node_report {
    std::optional<node_facts> facts;
    std::string trouble;
    /// The node's wall clock against ours, at the middle of the way of its answer; true within half
    /// the `rtt`, which is without the time that the node took to look.
    milliseconds clock_offset{0};
    milliseconds rtt{0};
};

struct mesh_facts {
    std::string asked_on;  // whose daemon is asking
    std::map<std::string, node_report> nodes;
    /// By service; absent: `catalog_trouble`.
    std::optional<std::map<std::string, std::vector<consul::health_entry>>> catalog;
    std::string catalog_trouble;
};

[[nodiscard]] std::string encode(node_facts const& facts);
[[nodiscard]] result<node_facts> decode_node_facts(std::string_view document);

/// The services, and NAME-KEY for each further port, that the configuration makes known by name.
[[nodiscard]] std::vector<std::string> names_of(mesh_config const& config);

}  // namespace bevmesh::registrar::verify
