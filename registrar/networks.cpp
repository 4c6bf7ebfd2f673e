#include "registrar/networks.hpp"

#include <algorithm>

#include "registrar/limits.hpp"
#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

using entry = std::pair<std::string const, docker::network_endpoint>;

entry const* find(docker::container const& holder, std::string_view name) {
    auto at = holder.networks.find(std::string(name));
    if (at != holder.networks.end()) return &*at;
    auto const project = holder.labels.find("com.docker.compose.project");
    if (project == holder.labels.end()) return nullptr;
    at = holder.networks.find(project->second + "_" + std::string(name));
    return at == holder.networks.end() ? nullptr : &*at;
}

bool has_address(docker::network_endpoint const& e) {
    return !e.ip.empty() || !e.ip6.empty();
}

// Swarm's own plumbing: nobody connects to a task by its address there.
bool belongs_to_swarm(std::string_view network) {
    return network == "ingress" || network == "docker_gwbridge";
}

std::string listed(docker::container const& holder) {
    std::string names;
    for (auto const& [name, where] : holder.networks)
        names += (names.empty() ? "" : ", ") + name;
    return names.empty() ? "no network" : names;
}

}  // namespace

docker::network_endpoint const* choose_network(docker::container const& holder,
                                               std::string_view named,
                                               std::vector<std::string> const& preferred,
                                               docker::container const& container, desired& out) {
    auto const tell = [&](note::severity level, std::string code, std::string const& what) {
        out.notes.push_back(
            {level, std::move(code), "container " + display_name(container) + " " + what});
    };
    if (!named.empty()) {
        auto const* wanted = find(holder, named);
        if (!wanted) {
            tell(note::severity::warning, "network-missing",
                 "is to be announced on network \"" + excerpt(named) + "\" but is on " +
                     listed(holder) + "; it is not announced");
            return nullptr;
        }
        if (has_address(wanted->second)) return &wanted->second;
        out.incomplete = true;
        return nullptr;
    }
    for (auto const& name : preferred)
        if (auto const* e = find(holder, name); e && has_address(e->second)) return &e->second;
    auto first = std::ranges::find_if(holder.networks, [](auto const& e) {
        return has_address(e.second) && !belongs_to_swarm(e.first);
    });
    if (first == holder.networks.end())
        first = std::ranges::find_if(holder.networks,
                                     [](auto const& e) { return has_address(e.second); });
    if (first != holder.networks.end()) {
        if (holder.networks.size() > 1 && preferred.empty())
            tell(note::severity::info, "several-networks",
                 "is on " + listed(holder) + "; its address on " + first->first +
                     " is announced, name another one by the "
                     "label bevmesh.network");
        return &first->second;
    }
    if (holder.networks.empty())
        tell(note::severity::warning, "network-missing",
             "has no network and no address to announce");
    else
        out.incomplete = true;
    return nullptr;
}

}  // namespace bevmesh::registrar
