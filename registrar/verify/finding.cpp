#include "registrar/verify/finding.hpp"

#include <algorithm>

namespace bevmesh::registrar::verify {

std::vector<meaning> const& all_meanings() {
    using enum code;
    using enum category;
    constexpr auto error = severity::error;
    constexpr auto warning = severity::warning;
    static std::vector<meaning> const all{
        {daemon_unreachable, nodes, error, "daemon not reachable"},
        {configuration_differs, nodes, error, "other configuration"},
        {clock_off, nodes, warning, "clock off"},
        {clock_far_off, nodes, error, "clock far off"},
        {version_differs, nodes, warning, "other version"},
        {agent_unreachable, category::consul, error, "Consul agent down"},
        {no_leader, category::consul, error, "Consul without leader"},
        {catalog_unreadable, category::consul, error, "catalog not readable"},
        {engine_unreachable, category::docker, error, "Docker down"},
        {network_absent, networks, error, "network absent"},
        {network_other_subnet, networks, error, "other subnet"},
        {network_overlaps, networks, error, "subnets overlap"},
        {no_container, services, error, "no container"},
        {wrong_node, services, error, "wrong node"},
        {not_registered, services, error, "not registered"},
        {registered_twice, services, error, "registered twice"},
        {stale_entry, services, error, "registered, but gone"},
        {check_critical, services, error, "check critical"},
        {check_warning, services, warning, "check warning"},
        {in_maintenance, services, warning, "in maintenance"},
        {state_unknown, services, error, "state unknown"},
        {name_unknown, names, error, "name not resolvable"},
        {host_name_unknown, names, error, "host cannot resolve it"},
        {name_elsewhere, names, warning, "resolves elsewhere"},
        {consul_dns_silent, names, error, "Consul's DNS silent"},
        {host_dns_ignorant, names, error, "host resolves no mesh name"},
    };
    return all;
}

meaning const& meaning_of(code c) {
    return *std::ranges::find(all_meanings(), c, &meaning::code);
}

std::string text_of(code c) {
    return "BEV" + std::to_string(static_cast<int>(c));
}

std::string_view name(category c) noexcept {
    switch (c) {
        case category::nodes:
            return "nodes";
        case category::consul:
            return "consul";
        case category::docker:
            return "docker";
        case category::networks:
            return "networks";
        case category::services:
            return "services";
        case category::names:
            return "names";
    }
    return "";
}

std::string_view name(severity s) noexcept {
    return s == severity::error ? "error" : "warning";
}

std::string_view name(standing s) noexcept {
    switch (s) {
        case standing::working:
            return "working";
        case standing::warning:
            return "warning";
        case standing::failing:
            return "failing";
        case standing::missing:
            return "missing";
        case standing::unknown:
            return "unknown";
    }
    return "";
}

}  // namespace bevmesh::registrar::verify
