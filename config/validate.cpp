// The rules for nodes, networks and the daemon's own settings.
#include "config/validate.hpp"

#include <algorithm>
#include <set>

#include "certs/recipes.hpp"
#include "config/findings.hpp"
#include "config/format.hpp"

namespace bevmesh::config {
namespace {

bool is_loopback(address_range const& range) {
    auto const v4 = parse_range("127.0.0.0/8");
    auto const v6 = parse_range("::1");
    return v4->contains(range) || v6->contains(range);
}

bool overlap(address_range const& a, address_range const& b) {
    return a.contains(b) || b.contains(a);
}

void check_nodes(mesh_config const& config, findings& found) {
    if (config.nodes.empty()) found.report("nodes", "is empty", "one node or more");
    std::vector<std::pair<address_range, std::string>> seen;
    for (auto const& [name, node] : config.nodes) {
        auto const path = join(join("nodes", name), "address");
        auto const address = parse_range(node.address);
        if (!address) continue;
        auto const same =
            std::ranges::find_if(seen, [&](auto const& s) { return overlap(s.first, *address); });
        if (same != seen.end())
            found.report(
                path, node.address + " is the address of node " + join("", same->second) + " too",
                "an address of its own for each node");
        seen.emplace_back(*address, name);
        if (config.nodes.size() > 1 && is_loopback(*address))
            found.report(path, node.address + " is a loopback address, which reaches no other node",
                         "an address that the other nodes can connect to");
    }
}

void check_networks(mesh_config const& config, findings& found) {
    std::vector<std::pair<address_range, std::string>> seen;
    for (auto const& [name, network] : config.networks) {
        auto const base = join("networks", name);
        auto const path = join(base, "subnet");
        for (std::size_t i = 0; i < network.nodes.size(); ++i)
            check_node_name(network.nodes[i], join(join(base, "nodes"), i), config, found);
        auto const subnet = parse_range(network.subnet);
        if (!subnet) continue;
        for (auto const& [other, other_name] : seen)
            if (overlap(*subnet, other))
                found.report(path,
                             network.subnet + " overlaps with " +
                                 config.networks.at(other_name).subnet + " of " +
                                 join("", other_name),
                             "subnets that share no address");
        seen.emplace_back(*subnet, name);
        for (auto const& [node_name, node] : config.nodes) {
            auto const address = parse_range(node.address);
            if (address && subnet->contains(*address))
                found.report(
                    path,
                    network.subnet + " has the address of node " + join("", node_name) + " in it",
                    "a subnet apart from the nodes' addresses");
        }
    }
}

/// The certificate that the agent shows.
void check_agent_tls(mesh_config const& config, findings& found) {
    if (config.consul.tls.recipe.empty()) return;
    std::vector<std::string> hosts{"127.0.0.1", "[::1]"};
    for (auto const& [name, node] : config.nodes)
        hosts.push_back(node.address.find(':') == std::string::npos ? node.address
                                                                    : "[" + node.address + "]");
    auto const is_of = [&](std::string const& host) {
        return config.consul.address.starts_with("https://" + host + ":");
    };
    if (std::ranges::none_of(hosts, is_of))
        found.report("consul.tls",
                     "would be for 127.0.0.1, ::1 and the node's address, and the agent is asked "
                     "at " +
                         config.consul.address,
                     "consul.address such as https://127.0.0.1:8501");
    service_config agent;
    agent.name = "consul";
    agent.tls = config.consul.tls;
    check_service_tls(agent, "consul", config, found);
    auto const* const recipe = certs::find_recipe(agent.tls.recipe);
    auto const needs = recipe == nullptr ? std::vector<std::string>() : certs::needs_of(*recipe);
    if (std::ranges::find(needs, "container") != needs.end())
        found.report("consul.tls.recipe",
                     in_quotes(agent.tls.recipe) + " is for a container of `services`",
                     "consul, signal, exec or none");
}

void check_consul(mesh_config const& config, findings& found) {
    auto const& consul = config.consul;
    if (consul.cert_file.empty() != consul.key_file.empty())
        found.report(consul.cert_file.empty() ? "consul.key_file" : "consul.cert_file",
                     "stands alone", "cert_file and key_file together");
    bool const is_tls = consul.address.starts_with("https://");
    auto const needs_tls = [&](std::string const& key, std::string const& value) {
        if (!value.empty() && !is_tls)
            found.report(join("consul", key), "has no use: the agent is not asked by TLS",
                         "consul.address to begin with https://");
    };
    needs_tls("ca_file", consul.ca_file);
    needs_tls("cert_file", consul.cert_file);
    needs_tls("server_name", consul.server_name);
    check_agent_tls(config, found);
    if (consul.certificates != "vault") return;
    needs_tls("certificates", consul.certificates);
    if (config.vault.addresses.empty())
        found.report("consul.certificates", "is vault, and there is none", "the section `vault`");
    if (!consul.cert_file.empty() && consul.ca_file.empty())
        found.report("consul.cert_file", "stands beside Vault's without the CA that it is for",
                     "ca_file with it");
}

void check_registrar(registrar_config const& registrar, findings& found) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < registrar.networks.size(); ++i)
        if (!seen.insert(registrar.networks[i]).second)
            found.report(join("registrar.networks", i),
                         in_quotes(registrar.networks[i]) + " is there twice", "each network once");
}

}  // namespace

void check_node_name(std::string const& node, std::string const& path, mesh_config const& config,
                     findings& found) {
    if (config.nodes.contains(node) || found.where().damaged("nodes." + node)) return;
    std::vector<std::string> known;
    std::string names;
    for (auto const& [name, value] : config.nodes) {
        if (!formats::label.accepts(name)) continue;
        known.push_back(name);
        names += (names.empty() ? "one of " : ", ") + name;
    }
    found.report(path, in_quotes(node) + " is no node of this mesh" + did_you_mean(node, known),
                 names.empty() ? "a node that `nodes` names" : names);
}

std::vector<problem> validate(mesh_config const& config, locations const& where) {
    findings found(where);
    check_nodes(config, found);
    check_networks(config, found);
    check_consul(config, found);
    check_vault(config, found);
    check_registrar(config.registrar, found);
    check_services(config, found);
    check_failover(config, found);
    return std::move(found).take();
}

}  // namespace bevmesh::config
