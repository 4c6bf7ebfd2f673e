#include "mesh/daemon/api.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;

json instance_json(consul::health_entry const& e) {
    auto const& meta = e.service.meta;
    auto const meta_value = [&](char const* key) {
        auto const it = meta.find(key);
        return it == meta.end() ? std::string() : it->second;
    };
    auto owner = meta_value("external-source");
    if (owner == "bevmesh") owner += "@" + meta_value("bevmesh-instance");
    json checks = json::array();
    for (auto const& c : e.checks)
        checks.push_back({{"id", c.id},
                          {"name", c.name},
                          {"status", consul::name(c.status)},
                          {"output", c.output},
                          {"notes", c.notes},
                          {"type", c.type}});
    return {{"id", e.service.id},
            {"node", e.node},
            {"address", e.service.address.empty() ? e.node_address : e.service.address},
            {"port", e.service.port},
            {"tags", e.service.tags},
            {"meta", meta},
            {"owner", owner},
            {"status", consul::name(overall(e.checks))},
            {"checks", checks}};
}

json peer_json(std::string const& node, peer_view const& v, std::string const& our_config) {
    json r{{"node", node},
           {"address", v.address},
           {"reachable", v.reachable},
           {"detail", v.asked ? v.detail : "not asked yet"},
           {"version", v.version},
           {"same_config", v.config == our_config}};
    if (v.round_trip) r["round_trip_us"] = v.round_trip->count() / 1'000;
    if (v.clock_offset) r["clock_offset_ms"] = v.clock_offset->count();
    return r;
}

json local_json(registrar::service_view const& v) {
    return {{"id", v.id},         {"name", v.name},   {"container", v.container},
            {"source", v.source}, {"phase", v.phase}, {"detail", v.detail}};
}

}  // namespace

void api::mount(routes& on) {
    on.add("GET", "/v1/status", audience::local, [this](call) { return at_once(status()); });
    on.add("GET", "/v1/services", audience::everybody,
           [this](call c) { return services(c.query("name")); });
    on.add("GET", "/v1/resolve", audience::local,
           [this](call c) { return resolve(c.query("name")); });
    on.add("POST", "/v1/maintenance", audience::everybody,
           [this](call c) { return at_once(maintenance(c)); });
}

std::string api::status() const {
    auto s = from_.process();
    auto const& engine = from_.driver.engine();
    auto const& agent = from_.driver.agent();
    s["consul"].update(json{{"reachable", agent.reachable}, {"detail", agent.detail}});
    s["docker"].update(json{{"reachable", engine.reachable},
                            {"detail", engine.detail},
                            {"version", from_.driver.engine_info().server_version},
                            {"api_version", from_.driver.api_version()},
                            {"name", from_.driver.engine_info().name},
                            {"containers", from_.core.containers().size()}});
    std::map<std::string, unsigned> phases{
        {"announced", 0}, {"announcing", 0}, {"refused", 0}, {"failing", 0}, {"removing", 0}};
    unsigned total = 0;
    for (auto const& v : from_.core.services().view()) {
        ++phases[v.phase];
        ++total;
    }
    auto const& counters = from_.core.services().counters();
    json r{{"settled", from_.core.idle()},
           {"services", total},
           {"registrations", counters.registrations},
           {"deregistrations", counters.deregistrations},
           {"reports", counters.reports},
           {"maintenance_changes", counters.maintenance_changes},
           {"write_errors", counters.write_errors}};
    for (auto const& [phase, count] : phases)
        r[phase] = count;
    s["registrar"] = r;
    json others = json::array();
    bool peers_well = true;
    for (auto const& [node, view] : from_.nodes.views()) {
        if (!from_.nodes.enabled()) break;
        others.push_back(peer_json(node, view, from_.nodes.fingerprint()));
        peers_well = peers_well && (!view.asked || view.reachable);
    }
    s["peers"] = others;
    s["peers_enabled"] = from_.nodes.enabled();
    json notes = json::array();
    for (auto const& n : from_.core.notes())
        notes.push_back(
            {{"level", n.level == registrar::note::severity::warning ? "warning" : "info"},
             {"code", n.code},
             {"text", n.text}});
    s["notes"] = notes;
    bool const degraded = !peers_well || !engine.reachable || !agent.reachable ||
                          phases["refused"] > 0 || phases["failing"] > 0;
    s["state"] = degraded ? "degraded" : "ok";
    return answer_text(s);
}

awaitable<result<std::string>> api::services(std::string only) const {
    consul::blocking const at_once;
    std::vector<std::string> names;
    if (only.empty()) {
        auto const catalog = co_await from_.consul.catalog_services(at_once);
        if (!catalog) co_return catalog.error();
        for (auto const& [service, tags] : catalog->value)
            names.push_back(service);
    } else {
        names.push_back(only);
    }
    json all = json::array();
    for (auto const& service : names) {
        std::string const any_tag;
        auto const entries = co_await from_.consul.health_service(service, false, any_tag, at_once);
        if (!entries) co_return entries.error();
        if (entries->value.empty()) continue;
        json instances = json::array();
        for (auto const& e : entries->value)
            instances.push_back(instance_json(e));
        all.push_back({{"name", service}, {"instances", instances}});
    }
    json local = json::array();
    for (auto const& v : from_.core.services().view())
        if (only.empty() || v.name == only) local.push_back(local_json(v));
    if (!only.empty() && all.empty() && local.empty())
        co_return failure{errc::not_found, "no service is called " + only};
    json out;
    out["services"] = std::move(all);
    out["local"] = std::move(local);
    co_return answer_text(out);
}

awaitable<result<std::string>> api::resolve(std::string name) const {
    if (name.empty())
        co_return failure{errc::bad_input, "resolve needs a name: /v1/resolve?name=NAME"};
    auto const parsed = parse_dns_name(name, from_.core.config().domain);
    consul::blocking const at_once;
    auto const entries =
        co_await from_.consul.health_service(parsed.service, false, parsed.tag, at_once);
    if (!entries) co_return entries.error();
    if (entries->value.empty())
        co_return failure{errc::not_found,
                          "no service is called " + parsed.service +
                              (parsed.tag.empty() ? std::string() : " with tag " + parsed.tag)};
    json instances = json::array();
    for (auto const& e : entries->value) {
        auto const full = instance_json(e);
        instances.push_back({{"id", full["id"]},
                             {"node", full["node"]},
                             {"address", full["address"]},
                             {"port", full["port"]},
                             {"status", full["status"]}});
    }
    json out;
    out["name"] = name;
    out["service"] = parsed.service;
    out["tag"] = parsed.tag;
    out["instances"] = std::move(instances);
    co_return answer_text(out);
}

result<std::string> api::maintenance(call const& c) {
    auto const asked = json::parse(c.request.body, nullptr, false);
    if (!asked.is_object() || !asked.contains("service") || !asked["service"].is_string() ||
        !asked.contains("on") || !asked["on"].is_boolean())
        return failure{errc::bad_input,
                       R"(expected {"service": NAME, "on": true or false, "reason": TEXT})"};
    auto const service = asked["service"].get<std::string>();
    bool const on = asked["on"].get<bool>();
    std::string reason = c.is_local() ? "asked for by an admin" : "asked for on " + c.node;
    if (asked.contains("reason") && asked["reason"].is_string() &&
        !asked["reason"].get<std::string>().empty())
        reason = asked["reason"].get<std::string>();
    json affected = json::array();
    for (auto const& v : from_.core.services().view())
        if (v.id == service || v.name == service) affected.push_back(v.id);
    bool const known = from_.core.services().maintenance().contains(service);
    if (affected.empty() && (on || !known))
        return failure{errc::not_found, "this node has no service " + service};
    from_.driver.give(registrar::maintenance_asked{service, on, reason});
    if (auto const kept = from_.keep(service, on ? reason : std::string()); !kept)
        return failure{
            kept.error().code,
            "it is done, but will be forgotten at the next restart: " + kept.error().doing};
    json out;
    out["affected"] = std::move(affected);
    return answer_text(out);
}

dns_name parse_dns_name(std::string name, std::string const& domain) {
    if (name.ends_with('.')) name.pop_back();
    if (name.ends_with("." + domain)) {
        name.resize(name.size() - domain.size() - 1);
        // service, or service.DATACENTER
        auto const at = name.rfind(".service");
        if (at != std::string::npos && (at + 8 == name.size() || name.find('.', at + 8) == at + 8))
            name.resize(at);
    }
    auto const dot = name.rfind('.');
    if (dot == std::string::npos) return {name, ""};
    return {name.substr(dot + 1), name.substr(0, dot)};
}

consul::status overall(std::vector<consul::agent_check> const& checks) {
    auto worst = consul::status::passing;
    for (auto const& c : checks) {
        if (c.id.starts_with("_service_maintenance:") || c.id == "_node_maintenance")
            return consul::status::maintenance;
        worst = std::max(worst, c.status);
    }
    return worst;
}

}  // namespace bevmesh::daemon
