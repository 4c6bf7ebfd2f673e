#include "certs/names.hpp"

#include <cstdint>
#include <string_view>

#include "mesh/base/fnv1a.hpp"

namespace bevmesh::certs {
namespace {

void add(std::string const& name, mesh_config const& mesh, subject& into) {
    into.dns.push_back(name + ".service." + mesh.domain);
    if (!mesh.datacenter.empty())
        into.dns.push_back(name + ".service." + mesh.datacenter + "." + mesh.domain);
}

/// The node asks it on the loopback; other agents and servers look for server.DC.DOMAIN, where they
/// verify host names.
void add_agent(mesh_config const& mesh, subject& into) {
    if (!mesh.datacenter.empty())
        into.dns.push_back("server." + mesh.datacenter + "." + mesh.domain);
    into.dns.emplace_back("localhost");
    into.ips.emplace_back("127.0.0.1");
    into.ips.emplace_back("::1");
}

bool has_member(failover_group_config const& group, std::string const& node) {
    for (auto const& member : group.members)
        if (member == node) return true;
    return false;
}

}  // namespace

subject subject_of(std::string const& service, std::string const& node, mesh_config const& mesh) {
    subject made;
    made.common_name = service + ".service." + mesh.domain;
    add(service, mesh, made);
    for (auto const& group : mesh.failover) {
        if (group.name != service || !has_member(group, node)) continue;
        add(service + "-primary", mesh, made);
        add(service + "-replica", mesh, made);
        // A PostgreSQL is its members' client, too, and lets a client in as the role that the
        // common name says (clientcert=verify-full). Vault takes no _ there.
        if (group.kind == "postgres" && !group.user.empty() &&
            group.user.find('_') == std::string::npos)
            made.common_name = group.user;
    }
    if (service == agent_name && !mesh.consul.tls.recipe.empty()) add_agent(mesh, made);
    made.dns.push_back(node);
    made.ips.push_back(mesh.nodes.at(node).address);
    made.uris.push_back("spiffe://" + mesh.name + "/node/" + node + "/service/" + service);
    return made;
}

std::string fingerprint(subject const& of, seconds life) {
    fnv1a hash;
    auto const add = [&hash](std::string_view text) {
        hash.add(text);
        hash.add(0xff);  // in no name: where one ends
    };
    add(of.common_name);
    for (auto const* kind : {&of.dns, &of.ips, &of.uris}) {
        for (auto const& each : *kind)
            add(each);
        add("");
    }
    add(std::to_string(life.count()));
    return hash.hex();
}

}  // namespace bevmesh::certs
