// Docker's networks against those of the configuration.
#include <algorithm>

#include "config/format.hpp"
#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::registrar::verify {
namespace {

bool overlap(std::string const& a, std::string const& b) {
    auto const one = config::parse_range(a);
    auto const other = config::parse_range(b);
    return one && other && (one->contains(*other) || other->contains(*one));
}

std::string joined(std::vector<std::string> const& texts) {
    std::string all;
    for (auto const& text : texts)
        all += (all.empty() ? "" : ", ") + text;
    return all.empty() ? "none" : all;
}

row judge_configured(std::string const& name, network_config const& wanted, std::string const& node,
                     node_facts const& own) {
    row r{"network " + name, node, category::networks, standing::working, {}};
    auto const found = std::ranges::find(own.networks, name, &network_fact::name);
    auto const create = "docker network create --subnet " + wanted.subnet + " " + name;
    if (found == own.networks.end())
        add(r, code::network_absent, "Docker on " + node + " has no network " + name,
            "on " + node + ": " + create, standing::missing);
    else if (std::ranges::find(found->subnets, wanted.subnet) == found->subnets.end())
        add(r, code::network_other_subnet,
            name + " on " + node + " has the subnet " + joined(found->subnets) + ", not " +
                wanted.subnet,
            "on " + node + ": docker network rm " + name + " && " + create +
                " (its containers must leave it first)");
    return r;
}

/// A network of the node that takes traffic meant for somebody else.
void judge_overlaps(mesh_config const& config, std::string const& node, network_fact const& is,
                    std::vector<row>& rows) {
    row r{"network " + is.name, node, category::networks, standing::working, {}};
    for (auto const& subnet : is.subnets) {
        for (auto const& [name, wanted] : config.networks)
            if (name != is.name && overlap(subnet, wanted.subnet))
                add(r, code::network_overlaps,
                    is.name + " on " + node + " (" + subnet + ") overlaps with " + name + " (" +
                        wanted.subnet + "): packets for one go to the other",
                    "on " + node + ": docker network rm " + is.name +
                        ", and make it with another subnet");
        for (auto const& [other, known] : config.nodes)
            if (overlap(subnet, known.address))
                add(r, code::network_overlaps,
                    is.name + " on " + node + " (" + subnet + ") holds the address of " + other +
                        ", " + known.address + ": it cannot be reached from here",
                    "on " + node + ": docker network rm " + is.name +
                        ", and make it with another subnet");
    }
    if (r.findings.empty()) return;
    // A configured one with another subnet has its row already.
    auto const has = std::ranges::find_if(rows, [&](row const& other) {
        return other.component == r.component && other.node == node;
    });
    if (has == rows.end()) return rows.push_back(std::move(r));
    std::ranges::move(r.findings, std::back_inserter(has->findings));
    has->status = standing::failing;
}

}  // namespace

std::vector<row> judge_networks(mesh_config const& config, mesh_facts const& facts) {
    std::vector<row> rows;
    for (auto const& [name, wanted] : config.networks)
        for (auto const& node : wanted.nodes) {
            auto const found = facts.nodes.find(node);
            if (found == facts.nodes.end() || !found->second.facts) continue;
            auto const& own = *found->second.facts;
            if (own.docker.ok) rows.push_back(judge_configured(name, wanted, node, own));
        }
    for (auto const& [node, report] : facts.nodes)
        if (report.facts && report.facts->docker.ok)
            for (auto const& is : report.facts->networks)
                judge_overlaps(config, node, is, rows);
    return rows;
}

}  // namespace bevmesh::registrar::verify
