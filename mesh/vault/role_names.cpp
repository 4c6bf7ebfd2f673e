#include "mesh/vault/role_names.hpp"

#include <algorithm>
#include <iterator>

#include "mesh/base/service_names.hpp"

namespace bevmesh::vault {
namespace {

void add_service(std::string const& name, mesh_config const& mesh, certificate_names& into) {
    for (auto const& each : dns_names_of(name, mesh))
        into.domains.insert(each);
}

void add_agent(mesh_config const& mesh, certificate_names& into) {
    for (auto const& each : agent_dns_names(mesh))
        into.domains.insert(each);
    into.addresses.insert(std::begin(agent_addresses), std::end(agent_addresses));
}

void add_uri(std::string const& node, std::string const& service, mesh_config const& mesh,
             certificate_names& into) {
    into.uris.insert(uri_of(mesh.name, node, service));
}

}  // namespace

std::string named_for(std::string text, std::string const& node) {
    constexpr std::size_t length = 4;  // NODE
    for (auto at = text.find("NODE"); at != std::string::npos;
         at = text.find("NODE", at + node.size()))
        text.replace(at, length, node);
    return text;
}

void add_names_of(std::string const& node, mesh_config const& mesh, certificate_names& into) {
    into.domains.insert(node);
    into.domains.insert(mesh.vault.pki.names.begin(), mesh.vault.pki.names.end());
    into.addresses.insert(mesh.nodes.at(node).address);
    add_uri(node, "bevmesh", mesh, into);
    add_service("bevmesh", mesh, into);
    add_uri(node, "consul", mesh, into);
    add_service("consul", mesh, into);
    if (!mesh.consul.tls.recipe.empty()) add_agent(mesh, into);
    for (auto const& service : mesh.services) {
        for (auto const& instance : service.instances) {
            if (std::ranges::find(instance.nodes, node) == instance.nodes.end()) continue;
            add_uri(node, service.name, mesh, into);
            add_service(service.name, mesh, into);
            for (auto const& [key, port] : instance.ports)
                add_service(service.name + "-" + key, mesh, into);
        }
    }
    for (auto const& group : mesh.failover) {
        if (std::ranges::find(group.members, node) == group.members.end()) continue;
        add_uri(node, group.name, mesh, into);
        for (auto const* const role : {"", "-primary", "-replica"})
            add_service(group.name + role, mesh, into);
        // Vault takes no _ in a common name.
        if (!group.user.empty() && group.user.find('_') == std::string::npos)
            into.domains.insert(group.user);
    }
}

}  // namespace bevmesh::vault
