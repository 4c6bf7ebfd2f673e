#include "registrar/verify/facts.hpp"

#include <set>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::registrar::verify {
namespace {

using json::value;

value of(reach const& r) {
    return {{"ok", r.ok}, {"trouble", r.trouble}};
}

value of(std::map<std::string, name_fact> const& names) {
    value out = value::object();
    for (auto const& [name, fact] : names)
        out[name] = {{"addresses", fact.addresses}, {"trouble", fact.trouble}};
    return out;
}

template <class Fact, class Make>
value list_of(std::vector<Fact> const& facts, Make make) {
    value out = value::array();
    for (auto const& fact : facts)
        out.push_back(make(fact));
    return out;
}

reach read_reach(value const& v) {
    return {json::flag(v, "ok"), json::text(v, "trouble")};
}

template <class Fact, class Read>
std::vector<Fact> read_list(value const& object, char const* key, Read read) {
    std::vector<Fact> out;
    auto const& all = json::member(object, key);
    if (all.is_null()) return out;
    if (!all.is_array()) json::wrong(key, "a list");
    for (auto const& one : all)
        out.push_back(read(one));
    return out;
}

std::map<std::string, name_fact> read_names(value const& object, char const* key) {
    std::map<std::string, name_fact> out;
    auto const& all = json::member(object, key);
    if (all.is_null()) return out;
    if (!all.is_object()) json::wrong(key, "an object");
    for (auto const& [name, fact] : all.items())
        out[name] = {json::text_list(fact, "addresses"), json::text(fact, "trouble")};
    return out;
}

void read_docker(value const& v, node_facts& f) {
    f.docker = read_reach(v);
    f.networks = read_list<network_fact>(v, "networks", [](value const& n) {
        return network_fact{json::text(n, "name"), json::text(n, "driver"),
                            json::text_list(n, "subnets")};
    });
    f.containers = read_list<container_fact>(v, "containers", [](value const& c) {
        return container_fact{json::text(c, "name"), json::text(c, "state"),
                              json::text(c, "health"), json::text_list(c, "services")};
    });
}

void read_consul(value const& v, node_facts& f) {
    f.consul = read_reach(v);
    f.leader = json::flag(v, "leader");
    f.entries = read_list<entry_fact>(v, "entries", [](value const& e) {
        return entry_fact{json::text(e, "id"), json::text(e, "name")};
    });
}

}  // namespace

std::string encode(node_facts const& f) {
    auto docker = of(f.docker);
    docker["networks"] = list_of(f.networks, [](network_fact const& n) -> value {
        return {{"name", n.name}, {"driver", n.driver}, {"subnets", n.subnets}};
    });
    docker["containers"] = list_of(f.containers, [](container_fact const& c) -> value {
        return {
            {"name", c.name}, {"state", c.state}, {"health", c.health}, {"services", c.services}};
    });
    auto consul = of(f.consul);
    consul["leader"] = f.leader;
    consul["entries"] = list_of(
        f.entries, [](entry_fact const& e) -> value { return {{"id", e.id}, {"name", e.name}}; });
    auto views = list_of(f.views, [](view_fact const& v) -> value {
        return {{"id", v.id},
                {"name", v.name},
                {"container", v.container},
                {"phase", v.phase},
                {"detail", v.detail}};
    });
    return json::dump({{"node", f.node},
                       {"version", f.version},
                       {"config_hash", f.config_hash},
                       {"wall_ms", f.wall_ms},
                       {"took_ms", f.took_ms},
                       {"docker", std::move(docker)},
                       {"consul", std::move(consul)},
                       {"registrar", std::move(views)},
                       {"dns", {{"consul", of(f.consul_dns)}, {"host", of(f.host_dns)}}}});
}

result<node_facts> decode_node_facts(std::string_view document) {
    return json::decode(document, "the node's facts", [](value const& v) {
        node_facts f;
        f.node = json::text(v, "node");
        f.version = json::text(v, "version");
        f.config_hash = json::text(v, "config_hash");
        f.wall_ms = json::number<std::int64_t>(v, "wall_ms");
        f.took_ms = json::number<std::int64_t>(v, "took_ms");
        read_docker(json::member(v, "docker"), f);
        read_consul(json::member(v, "consul"), f);
        f.views = read_list<view_fact>(v, "registrar", [](value const& s) {
            return view_fact{json::text(s, "id"), json::text(s, "name"), json::text(s, "container"),
                             json::text(s, "phase"), json::text(s, "detail")};
        });
        auto const& dns = json::member(v, "dns");
        f.consul_dns = read_names(dns, "consul");
        f.host_dns = read_names(dns, "host");
        if (f.node.empty()) json::wrong("node", "the node's name");
        return f;
    });
}

std::vector<std::string> names_of(mesh_config const& config) {
    std::set<std::string> names;
    for (auto const& service : config.services) {
        names.insert(service.name);
        for (auto const& instance : service.instances)
            for (auto const& [key, port] : instance.ports)
                names.insert(service.name + "-" + key);
    }
    return {names.begin(), names.end()};
}

}  // namespace bevmesh::registrar::verify
