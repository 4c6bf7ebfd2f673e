// The parts of each node: its daemon, its clock, its Consul agent, its Docker engine.
#include <algorithm>

#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::registrar::verify {
namespace {

constexpr milliseconds clock_warning{1'000};
constexpr milliseconds clock_error{10'000};

/// What most nodes have, so that the odd one is told, also when it is the one that asks; of two
/// that are as frequent, the asking node's.
template <class Of>
std::string common(mesh_facts const& facts, Of of) {
    std::map<std::string, std::size_t> count;
    for (auto const& [node, report] : facts.nodes)
        if (report.facts) count[of(*report.facts)] += 2;
    if (auto const own = facts.nodes.find(facts.asked_on);
        own != facts.nodes.end() && own->second.facts)
        ++count[of(*own->second.facts)];
    auto const most =
        std::ranges::max_element(count, {}, [](auto const& entry) { return entry.second; });
    return most == count.end() ? std::string() : most->first;
}

/// The clock that the others are held against: the middle one of three or more, else our own.
milliseconds true_offset(mesh_facts const& facts) {
    std::vector<milliseconds> offsets;
    for (auto const& [node, report] : facts.nodes)
        if (report.facts) offsets.push_back(report.clock_offset);
    if (offsets.size() < 3) return milliseconds(0);
    std::ranges::sort(offsets);
    return offsets[(offsets.size() - 1) / 2];
}

std::string in_seconds(milliseconds d) {
    auto const tenths = (std::chrono::abs(d).count() + 50) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

row judge_daemon(std::string const& node, node_report const& report, mesh_facts const& facts) {
    row r{"daemon", node, category::nodes, standing::working, {}};
    if (!report.facts) {
        add(r, code::daemon_unreachable,
            "the daemon on " + node + " cannot be asked: " + report.trouble,
            "on " + node + ": systemctl status bevmesh; and is the node on the mesh?");
        return r;
    }
    auto const& own = *report.facts;
    auto const hash = common(facts, [](node_facts const& f) { return f.config_hash; });
    if (own.config_hash != hash)
        add(r, code::configuration_differs,
            node + " runs with another configuration than the other nodes (" + own.config_hash +
                ", not " + hash + ")",
            "copy the mesh's configuration to " + node + ", then systemctl reload bevmesh");
    auto const version = common(facts, [](node_facts const& f) { return f.version; });
    if (own.version != version)
        add(r, code::version_differs,
            node + " runs bevmesh " + own.version + ", the other nodes " + version,
            "install bevmesh " + version + " on " + node);
    return r;
}

row judge_clock(std::string const& node, node_report const& report, milliseconds reference) {
    row r{"clock", node, category::nodes, standing::working, {}};
    auto const off = report.clock_offset - reference;
    auto const sure = std::chrono::abs(off) - report.rtt / 2;
    if (sure <= clock_warning) return r;
    add(r, sure > clock_error ? code::clock_far_off : code::clock_off,
        "the clock of " + node + " is " + in_seconds(off) +
            (off.count() > 0 ? " ahead of" : " behind") + " the mesh's",
        "on " + node + ": chronyc makestep, or timedatectl set-ntp true");
    return r;
}

row judge_agent(std::string const& node, node_facts const& own) {
    row r{"Consul", node, category::consul, standing::working, {}};
    if (!own.consul.ok)
        add(r, code::agent_unreachable,
            "Consul's agent on " + node + " does not answer its daemon: " + own.consul.trouble,
            "on " + node + ": systemctl status consul");
    else if (!own.leader)
        add(r, code::no_leader, "Consul's agent on " + node + " knows no leader",
            "on " + node +
                ": consul operator raft list-peers -stale; most servers must be up and "
                "reach each other");
    return r;
}

row judge_engine(std::string const& node, node_facts const& own) {
    row r{"Docker", node, category::docker, standing::working, {}};
    if (!own.docker.ok)
        add(r, code::engine_unreachable,
            "Docker on " + node + " does not answer: " + own.docker.trouble,
            "on " + node + ": systemctl status docker");
    return r;
}

}  // namespace

std::vector<row> judge_nodes(mesh_config const& config, mesh_facts const& facts) {
    std::vector<row> rows;
    auto const reference = true_offset(facts);
    node_report const never_asked{{}, "nobody asked it", {}, {}};
    for (auto const& [node, _] : config.nodes) {
        auto const found = facts.nodes.find(node);
        auto const& report = found == facts.nodes.end() ? never_asked : found->second;
        rows.push_back(judge_daemon(node, report, facts));
        if (!report.facts) continue;
        rows.push_back(judge_clock(node, report, reference));
        rows.push_back(judge_agent(node, *report.facts));
        rows.push_back(judge_engine(node, *report.facts));
    }
    if (!facts.catalog) {
        row r{"catalog", facts.asked_on, category::consul, standing::working, {}};
        add(r, code::catalog_unreadable,
            "what Consul knows of the mesh could not be read: " + facts.catalog_trouble,
            "ask on another node: bevmesh verify; see Consul's rows");
        rows.push_back(std::move(r));
    }
    return rows;
}

}  // namespace bevmesh::registrar::verify
