// What can be wrong with a mesh: a code for each kind of damage, which never changes its meaning
// and is never used again. Pure.
//
//   BEV1xx nodes · BEV2xx Consul · BEV3xx Docker · BEV4xx networks · BEV5xx services · BEV6xx names
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar::verify {

enum class severity { warning, error };
enum class category { nodes, consul, docker, networks, services, names };

enum class code {
    daemon_unreachable = 101,
    configuration_differs = 102,
    clock_off = 103,      // more than a second
    clock_far_off = 104,  // more than ten: certificates and logs are wrong
    version_differs = 105,
    agent_unreachable = 201,
    no_leader = 202,
    catalog_unreadable = 203,
    engine_unreachable = 301,
    network_absent = 401,
    network_other_subnet = 402,
    network_overlaps = 403,
    no_container = 501,
    wrong_node = 502,
    not_registered = 503,
    registered_twice = 504,
    stale_entry = 505,
    check_critical = 506,
    check_warning = 507,
    in_maintenance = 508,
    state_unknown = 509,
    name_unknown = 601,       // Consul's DNS on the node does not give it
    host_name_unknown = 602,  // Consul's DNS does, the host's resolver does not
    name_elsewhere = 603,     // it gives an address that is no healthy instance's
    consul_dns_silent = 604,
    host_dns_ignorant = 605,  // the host's resolver knows no name of the mesh
};

/// What is the same for every finding of a code.
struct meaning {
    verify::code code;
    verify::category category;
    severity level;
    std::string_view title;  // a few words, for a table
};

[[nodiscard]] meaning const& meaning_of(code c);
[[nodiscard]] std::vector<meaning> const& all_meanings();

[[nodiscard]] std::string text_of(code c);  // "BEV101"
[[nodiscard]] std::string_view name(category c) noexcept;
[[nodiscard]] std::string_view name(severity s) noexcept;

struct finding {
    verify::code code = code::state_unknown;
    std::string text;    // a sentence with the names in it
    std::string remedy;  // what to do; a command where there is one

    friend bool operator==(finding const&, finding const&) = default;
};

/// working, warning, failing, missing, unknown: the word of the matrix.
enum class standing { working, warning, failing, missing, unknown };
[[nodiscard]] std::string_view name(standing s) noexcept;

/// A line of the matrix: one component on one node.
struct row {
    std::string component;  // a service, a network by "network NAME", or a part of the node
    std::string node;
    verify::category category = category::services;
    standing status = standing::working;
    std::vector<finding> findings;

    friend bool operator==(row const&, row const&) = default;
};

}  // namespace bevmesh::registrar::verify
