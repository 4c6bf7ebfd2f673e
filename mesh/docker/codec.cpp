#include "mesh/docker/codec.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <nlohmann/json.hpp>

namespace bevmesh::docker {
namespace {

using nlohmann::json;

failure bad(std::string what) {
    return {errc::bad_answer, std::move(what)};
}

/// The member, or null for one that is absent; null too for a parent that is no object.
json const& at(json const& parent, char const* key) {
    static json const nothing;
    if (!parent.is_object()) return nothing;
    auto const it = parent.find(key);
    return it == parent.end() ? nothing : *it;
}

std::string text(json const& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::map<std::string, std::string> text_map(json const& value) {
    std::map<std::string, std::string> map;
    if (value.is_object())
        for (auto const& [key, v] : value.items())
            if (v.is_string()) map[key] = v.get<std::string>();
    return map;
}

std::uint16_t port_number(std::string_view digits) {
    std::uint16_t port = 0;
    auto const end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, port).ptr == end ? port : std::uint16_t{0};
}

/// "6379/tcp"
bool parse_port(std::string const& key, port_key& port) {
    auto const slash = key.find('/');
    port.port = port_number(std::string_view(key).substr(0, slash));
    port.protocol = slash == std::string::npos ? "tcp" : key.substr(slash + 1);
    return port.port != 0;
}

std::map<port_key, std::vector<port_binding>> bindings(json const& value) {
    std::map<port_key, std::vector<port_binding>> all;
    if (!value.is_object()) return all;
    for (auto const& [key, list] : value.items()) {
        port_key port;
        if (!parse_port(key, port)) continue;
        auto& of_port = all[port];
        if (!list.is_array()) continue;
        for (auto const& b : list)
            of_port.push_back({text(at(b, "HostIp")), port_number(text(at(b, "HostPort")))});
    }
    return all;
}

run_state decode_state(json const& state) {
    auto const status = text(at(state, "Status"));
    // Paused containers are also "running", restarting ones too: Status says the one that counts.
    if (status == "running") return run_state::running;
    if (status == "paused") return run_state::paused;
    if (status == "restarting") return run_state::restarting;
    if (status == "removing") return run_state::removing;
    if (status == "dead") return run_state::dead;
    return status == "created" ? run_state::created : run_state::exited;
}

health decode_health(json const& state) {
    auto const status = text(at(at(state, "Health"), "Status"));
    if (status == "starting") return health::starting;
    if (status == "healthy") return health::healthy;
    return status == "unhealthy" ? health::unhealthy : health::none;
}

std::map<std::string, network_endpoint> decode_endpoints(json const& networks) {
    std::map<std::string, network_endpoint> all;
    if (!networks.is_object()) return all;
    for (auto const& [name, e] : networks.items())
        all[name] = {text(at(e, "NetworkID")), text(at(e, "IPAddress")),
                     text(at(e, "GlobalIPv6Address"))};
    return all;
}

/// "Up 5 minutes (healthy)" → "(healthy)"; "Up 2 seconds (Paused)" → "(Paused)".
std::string lasting_part(std::string const& status) {
    auto const open = status.find('(');
    return open == std::string::npos ? std::string() : status.substr(open);
}

int api_number(std::string_view version) {
    auto const dot = version.find('.');
    if (dot == std::string_view::npos) return -1;
    auto const minor = port_number(version.substr(dot + 1));
    return version.substr(0, dot) == "1" && minor != 0 ? minor : -1;
}

}  // namespace

result<container> decode_container(std::string_view inspect) {
    auto const j = json::parse(inspect, nullptr, false);
    if (!j.is_object()) return bad("a container's inspect is no JSON object");
    container c;
    c.id = text(at(j, "Id"));
    if (c.id.empty()) return bad("a container's inspect has no Id");
    c.name = text(at(j, "Name"));
    if (c.name.starts_with('/')) c.name.erase(0, 1);
    auto const& state = at(j, "State");
    if (!state.is_object()) return bad("the inspect of container " + c.id + " has no State");
    c.state = decode_state(state);
    c.health = decode_health(state);
    c.started_at = text(at(state, "StartedAt"));
    if (auto const& code = at(state, "ExitCode"); code.is_number_integer())
        c.exit_code = code.get<int>();
    auto const& config = at(j, "Config");
    c.image = text(at(config, "Image"));
    c.hostname = text(at(config, "Hostname"));
    c.labels = text_map(at(config, "Labels"));
    if (auto const& env = at(config, "Env"); env.is_array())
        for (auto const& e : env)
            c.env.push_back(text(e));
    if (auto const& exposed = at(config, "ExposedPorts"); exposed.is_object())
        for (auto const& [key, nothing] : exposed.items()) {
            port_key port;
            if (parse_port(key, port)) c.exposed.push_back(port);
        }
    std::ranges::sort(c.exposed);
    c.network_mode = text(at(at(j, "HostConfig"), "NetworkMode"));
    c.wanted_ports = bindings(at(at(j, "HostConfig"), "PortBindings"));
    c.ports = bindings(at(at(j, "NetworkSettings"), "Ports"));
    c.networks = decode_endpoints(at(at(j, "NetworkSettings"), "Networks"));
    return c;
}

result<std::vector<listed_container>> decode_list(std::string_view containers) {
    auto j = json::parse(containers, nullptr, false);
    if (!j.is_array()) return bad("the list of containers is no JSON array");
    std::vector<listed_container> all;
    for (auto& entry : j) {
        auto id = text(at(entry, "Id"));
        if (id.empty()) return bad("an entry of the list of containers has no Id");
        entry["Status"] = lasting_part(text(at(entry, "Status")));
        all.push_back({std::move(id), entry.dump(-1, ' ', false, json::error_handler_t::replace)});
    }
    return all;
}

result<event> decode_event(std::string_view line) {
    auto const j = json::parse(line, nullptr, false);
    auto const& actor = at(j, "Actor");
    if (!actor.is_object()) return bad("not an event: " + std::string(line.substr(0, 100)));
    event e;
    e.type = text(at(j, "Type"));
    e.action = text(at(j, "Action"));
    e.actor_id = text(at(actor, "ID"));
    e.attributes = text_map(at(actor, "Attributes"));
    if (auto const& t = at(j, "timeNano"); t.is_number_integer())
        e.time_nano = t.get<std::int64_t>();
    return e;
}

result<engine_info> decode_info(std::string_view info) {
    auto const j = json::parse(info, nullptr, false);
    if (!j.is_object()) return bad("the engine's info is no JSON object");
    return engine_info{text(at(j, "ID")), text(at(j, "Name")), text(at(j, "ServerVersion"))};
}

result<std::vector<network>> decode_networks(std::string_view networks) {
    auto const j = json::parse(networks, nullptr, false);
    if (!j.is_array()) return bad("the list of networks is no JSON array");
    std::vector<network> all;
    for (auto const& entry : j) {
        network n{
            text(at(entry, "Id")), text(at(entry, "Name")), text(at(entry, "Driver")), false, {}};
        auto const& internal = at(entry, "Internal");
        n.internal = internal.is_boolean() && internal.get<bool>();
        if (auto const& config = at(at(entry, "IPAM"), "Config"); config.is_array())
            for (auto const& c : config)
                n.subnets.push_back(text(at(c, "Subnet")));
        all.push_back(std::move(n));
    }
    return all;
}

std::string decode_error(std::string_view body) {
    auto const j = json::parse(body, nullptr, false);
    auto message = text(at(j, "message"));
    if (message.empty()) message = body.substr(0, std::min(body.find('\n'), std::size_t{200}));
    return message;
}

result<std::string> choose_api_version(std::string_view offered) {
    auto const theirs = api_number(offered);
    if (theirs < api_number(oldest_api))
        return bad("the engine offers API version \"" + std::string(offered) + "\"; at least " +
                   std::string(oldest_api) + " (Docker 20.10) is needed");
    return "1." + std::to_string(std::min(theirs, api_number(newest_api)));
}

std::string record_splitter::next() {
    for (;;) {
        auto const end = buffer_.find('\n');
        if (end == std::string::npos) return {};
        auto record = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (record.starts_with('\x1e')) record.erase(0, 1);
        if (record.ends_with('\r')) record.pop_back();
        if (!record.empty()) return record;
    }
}

}  // namespace bevmesh::docker
