// Each instance of the configuration on each of its nodes: container, registration, checks.
#include <algorithm>
#include <set>

#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::registrar::verify {
namespace {

using entries = std::vector<consul::health_entry const*>;

std::string label_of(service_config const& service, instance_config const& instance) {
    if (service.instances.size() == 1) return service.name;
    auto const& m = instance.match;
    for (auto const* text : {&m.container, &m.compose, &m.label, &m.image})
        if (!text->empty()) return service.name + " (" + *text + ")";
    return service.name + " (" + std::to_string(instance.port) + ")";
}

bool belongs(instance_config const& instance, std::string const& node) {
    return std::ranges::find(instance.nodes, node) != instance.nodes.end();
}

std::string first_line(std::string const& text) {
    auto line = text.substr(0, text.find('\n'));
    if (line.size() > 160) line = line.substr(0, 160) + "...";
    return line;
}

consul::status worst_of(std::vector<consul::agent_check> const& checks) {
    auto worst = consul::status::passing;
    for (auto const& c : checks) {
        if (c.id.starts_with("_service_maintenance:") || c.id == "_node_maintenance")
            return consul::status::maintenance;
        worst = std::max(worst, c.status);
    }
    return worst;
}

class service_judge {
public:
    service_judge(mesh_config const& config, mesh_facts const& facts, service_config const& service)
        : config_(config), facts_(facts), service_(service) {}

    std::vector<row> rows();

private:
    [[nodiscard]] node_facts const* facts_of(std::string const& node) const;
    [[nodiscard]] entries catalog_of(std::string const& name, std::string const& node) const;
    [[nodiscard]] std::vector<container_fact> containers_of(std::size_t index,
                                                            node_facts const& own) const;
    [[nodiscard]] std::vector<std::string> names_of(instance_config const& instance) const;

    row judge(std::size_t index, std::string const& node);
    void judge_blind(row& r, std::string const& node, std::string const& why);
    void judge_absent(row& r, std::size_t index, std::string const& node);
    void judge_registration(row& r, instance_config const& instance, std::string const& name,
                            std::string const& container, node_facts const& own);
    void judge_health(row& r, consul::health_entry const& entry);
    [[nodiscard]] bool runs_elsewhere(std::size_t index, std::string const& node) const;
    void judge_strays(std::vector<row>& rows);
    void judge_wrong_places(std::vector<row>& rows);
    row& row_of(std::vector<row>& rows, std::string const& node);

    mesh_config const& config_;
    mesh_facts const& facts_;
    service_config const& service_;
};

node_facts const* service_judge::facts_of(std::string const& node) const {
    auto const found = facts_.nodes.find(node);
    return found == facts_.nodes.end() || !found->second.facts ? nullptr : &*found->second.facts;
}

/// The catalog's entries of this name on this node.
entries service_judge::catalog_of(std::string const& name, std::string const& node) const {
    entries out;
    if (!facts_.catalog) return out;
    auto const found = facts_.catalog->find(name);
    if (found == facts_.catalog->end()) return out;
    for (auto const& e : found->second)
        if (e.node == node) out.push_back(&e);
    return out;
}

std::vector<container_fact> service_judge::containers_of(std::size_t index,
                                                         node_facts const& own) const {
    auto const key = instance_key(service_.name, index);
    std::vector<container_fact> out;
    for (auto const& c : own.containers)
        if (std::ranges::find(c.services, key) != c.services.end()) out.push_back(c);
    return out;
}

std::vector<std::string> service_judge::names_of(instance_config const& instance) const {
    std::vector<std::string> names{service_.name};
    for (auto const& [key, port] : instance.ports)
        names.push_back(service_.name + "-" + key);
    return names;
}

/// Nobody looked at the containers of the node: what Consul says is all there is.
void service_judge::judge_blind(row& r, std::string const& node, std::string const& why) {
    std::string told = "Consul does not know it";
    auto const known = catalog_of(service_.name, node);
    if (!facts_.catalog) told = "nor could Consul's catalog be read";
    if (!known.empty())
        told = "Consul says " + std::string(consul::name(worst_of(known.front()->checks)));
    add(r, code::state_unknown, why + "; " + told, "mend that first, then verify again",
        standing::unknown);
    for (auto const* entry : known)
        if (worst_of(entry->checks) == consul::status::critical) judge_health(r, *entry);
}

void service_judge::judge_absent(row& r, std::size_t index, std::string const& node) {
    auto const& instance = service_.instances[index];
    for (auto const& [other, report] : facts_.nodes) {
        if (other == node || !report.facts || belongs(instance, other)) continue;
        if (auto const there = containers_of(index, *report.facts); !there.empty())
            return add(r, code::wrong_node,
                       there.front().name + " runs on " + other + " and not on " + node,
                       "start it on " + node + " and remove it from " + other + ", or name " +
                           other + " in the configuration's nodes",
                       standing::missing);
    }
    auto const& wanted = instance.match.container;
    add(r, code::no_container,
        "no running container on " + node + " is " + label_of(service_, instance),
        "on " + node + ": docker start " + (wanted.empty() ? "CONTAINER" : wanted),
        standing::missing);
}

void service_judge::judge_health(row& r, consul::health_entry const& entry) {
    auto const worst = worst_of(entry.checks);
    if (worst == consul::status::passing) return;
    for (auto const& c : entry.checks) {
        bool const maintenance =
            c.id.starts_with("_service_maintenance:") || c.id == "_node_maintenance";
        if (maintenance)
            add(r, code::in_maintenance,
                entry.service.name + " on " + entry.node +
                    " is in maintenance: " + first_line(c.notes),
                "on " + entry.node + ": bevmesh services maint " + entry.service.name + " off");
        else if (c.status == consul::status::critical && worst == consul::status::critical)
            add(r, code::check_critical,
                "check \"" + c.name + "\" of " + entry.service.name + " on " + entry.node +
                    " is critical: " + first_line(c.output),
                "bevmesh services " + entry.service.name + "; on " + entry.node +
                    ": docker logs of its container");
        else if (c.status == consul::status::warning && worst != consul::status::maintenance)
            add(r, code::check_warning,
                "check \"" + c.name + "\" of " + entry.service.name + " on " + entry.node +
                    " warns: " + first_line(c.output),
                "bevmesh services " + entry.service.name);
    }
}

/// One name of the instance, whose container (empty: process of the node) is there.
void service_judge::judge_registration(row& r, instance_config const& instance,
                                       std::string const& name, std::string const& container,
                                       node_facts const& own) {
    auto const of_it = [&](view_fact const& v) {
        return v.name == name && v.container == container;
    };
    auto const what = container.empty() ? name : name + " (container " + container + ")";
    auto const view = std::ranges::find_if(own.views, of_it);
    if (view == own.views.end())
        return add(r, code::not_registered,
                   what + " is on " + own.node + ", and its daemon does not announce it",
                   "bevmesh status on " + own.node + " says why; is port " +
                       std::to_string(instance.port) + " published?");
    auto const known = catalog_of(name, own.node);
    auto const entry =
        std::ranges::find_if(known, [&](auto const* e) { return e->service.id == view->id; });
    bool const with_agent =
        std::ranges::find(own.entries, view->id, &entry_fact::id) != own.entries.end();
    if (entry != known.end() && with_agent) return judge_health(r, **entry);
    auto const where =
        with_agent ? "the catalog does not have it" : "Consul's agent does not have it";
    add(r, code::not_registered,
        what + " is on " + own.node + ", and " + where + " (" + view->phase +
            (view->detail.empty() ? "" : ": " + view->detail) + ")",
        "the daemon on " + own.node +
            " registers it again by itself; journalctl -u bevmesh if not");
}

row service_judge::judge(std::size_t index, std::string const& node) {
    auto const& instance = service_.instances[index];
    row r{label_of(service_, instance), node, category::services, standing::working, {}};
    auto const* own = facts_of(node);
    if (own == nullptr) {
        judge_blind(r, node, "the daemon on " + node + " could not be asked");
        return r;
    }
    if (!own->docker.ok && !instance.host) {
        judge_blind(r, node, "Docker on " + node + " does not answer");
        return r;
    }
    auto const there = containers_of(index, *own);
    if (!instance.host && there.empty()) {
        judge_absent(r, index, node);
        return r;
    }
    if (!own->consul.ok || !facts_.catalog) {
        judge_blind(r, node,
                    own->consul.ok ? "its container runs"
                                   : "Consul's agent on " + node + " does not answer");
        return r;
    }
    for (auto const& name : names_of(instance)) {
        if (instance.host) judge_registration(r, instance, name, "", *own);
        for (auto const& c : there)
            judge_registration(r, instance, name, c.name, *own);
    }
    return r;
}

row& service_judge::row_of(std::vector<row>& rows, std::string const& node) {
    auto const found = std::ranges::find(rows, node, &row::node);
    if (found != rows.end()) return *found;
    rows.push_back({service_.name, node, category::services, standing::working, {}});
    return rows.back();
}

/// Entries of Consul that no container of their node stands behind.
void service_judge::judge_strays(std::vector<row>& rows) {
    if (!facts_.catalog) return;
    std::set<std::string> names;
    for (auto const& instance : service_.instances)
        for (auto const& name : names_of(instance))
            names.insert(name);
    for (auto const& name : names)
        for (auto const& [node, report] : facts_.nodes) {
            // Without a look at the containers, an entry is not called stale.
            if (!report.facts || !report.facts->docker.ok) continue;
            auto const& views = report.facts->views;
            bool const has_live = std::ranges::find(views, name, &view_fact::name) != views.end();
            for (auto const* e : catalog_of(name, node)) {
                if (std::ranges::find(views, e->service.id, &view_fact::id) != views.end())
                    continue;
                add(row_of(rows, node), has_live ? code::registered_twice : code::stale_entry,
                    "Consul has " + e->service.id + " as " + name + " on " + node +
                        (has_live ? " beside the one of its container"
                                  : ", and no container is behind it"),
                    "on " + node + ": consul services deregister -id " + e->service.id);
            }
        }
}

/// A container that is where it belongs, and somewhere else as well.
void service_judge::judge_wrong_places(std::vector<row>& rows) {
    for (std::size_t i = 0; i < service_.instances.size(); ++i) {
        auto const& instance = service_.instances[i];
        if (instance.host) continue;
        for (auto const& [node, report] : facts_.nodes) {
            if (!report.facts || belongs(instance, node)) continue;
            auto const there = containers_of(i, *report.facts);
            bool const told = std::ranges::any_of(rows, [](row const& r) {
                return std::ranges::any_of(
                    r.findings, [](finding const& f) { return f.code == code::wrong_node; });
            });
            if (there.empty() || told) continue;
            add(row_of(rows, node), code::wrong_node,
                there.front().name + " runs on " + node + ", where " + service_.name +
                    " does not belong",
                "on " + node + ": docker rm -f " + there.front().name + ", or name " + node +
                    " in the configuration's nodes");
        }
    }
}

/// Of some nodes on which it may run, it runs on another: nothing is missing here. Whose nodes are
/// all of the mesh's is meant to be on each.
bool service_judge::runs_elsewhere(std::size_t index, std::string const& node) const {
    auto const& instance = service_.instances[index];
    if (instance.host || instance.nodes.size() == config_.nodes.size()) return false;
    auto const* own = facts_of(node);
    if (own == nullptr || !own->docker.ok || !containers_of(index, *own).empty()) return false;
    return std::ranges::any_of(instance.nodes, [&](std::string const& other) {
        auto const* theirs = facts_of(other);
        return theirs != nullptr && !containers_of(index, *theirs).empty();
    });
}

std::vector<row> service_judge::rows() {
    std::vector<row> out;
    for (std::size_t i = 0; i < service_.instances.size(); ++i)
        for (auto const& node : service_.instances[i].nodes)
            if (!runs_elsewhere(i, node)) out.push_back(judge(i, node));
    judge_wrong_places(out);
    judge_strays(out);
    return out;
}

}  // namespace

std::vector<row> judge_services(mesh_config const& config, mesh_facts const& facts) {
    std::vector<row> rows;
    for (auto const& service : config.services)
        std::ranges::move(service_judge(config, facts, service).rows(), std::back_inserter(rows));
    return rows;
}

}  // namespace bevmesh::registrar::verify
