#include "certs/names.hpp"

#include <iterator>
#include <string_view>
#include <vector>

#include "mesh/base/fnv1a.hpp"
#include "mesh/base/service_names.hpp"

namespace bevmesh::certs {
namespace {

void add(std::vector<std::string> const& names, subject& into) {
    into.dns.insert(into.dns.end(), names.begin(), names.end());
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
    add(dns_names_of(service, mesh), made);
    for (auto const& group : mesh.failover) {
        if (group.name != service || !has_member(group, node)) continue;
        add(dns_names_of(service + "-primary", mesh), made);
        add(dns_names_of(service + "-replica", mesh), made);
        // A PostgreSQL is its members' client, too, and lets a client in as the role that the
        // common name says (clientcert=verify-full). Vault takes no _ there.
        if (group.kind == "postgres" && !group.user.empty() &&
            group.user.find('_') == std::string::npos)
            made.common_name = group.user;
    }
    if (service == agent_name && !mesh.consul.tls.recipe.empty()) {
        add(agent_dns_names(mesh), made);
        made.ips.insert(made.ips.end(), std::begin(agent_addresses), std::end(agent_addresses));
    }
    made.dns.push_back(node);
    made.ips.push_back(mesh.nodes.at(node).address);
    made.uris.push_back(uri_of(mesh.name, node, service));
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
