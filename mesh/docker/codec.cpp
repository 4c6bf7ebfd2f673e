#include "mesh/docker/codec.hpp"

#include <algorithm>
#include <charconv>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::docker {

namespace {

using json::value;

run_state read_state(value const& state) {
    struct row {
        std::string_view text;
        run_state state;
    };
    auto const text = json::text(state, "Status");
    for (auto const& [name, s] :
         {row{"created", run_state::created}, row{"running", run_state::running},
          row{"paused", run_state::paused}, row{"restarting", run_state::restarting},
          row{"removing", run_state::removing}, row{"exited", run_state::exited},
          row{"dead", run_state::dead}}) {
        if (text == name) return s;
    }
    json::wrong("State.Status", "a container's state, got \"" + text + "\"");
}

/// A status that this version does not know is as good as no health check.
health read_health(value const& state) {
    auto const text = json::text(json::member(state, "Health"), "Status");
    if (text == "starting") return health::starting;
    if (text == "healthy") return health::healthy;
    if (text == "unhealthy") return health::unhealthy;
    return health::none;
}

std::uint16_t read_port(std::string_view text, std::string_view key) {
    std::uint16_t port = 0;
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, port);
    if (text.empty() || read.ec != std::errc() || read.ptr != end) json::wrong(key, "a port");
    return port;
}

/// "6379/tcp"; the protocol may be missing in what old clients wrote.
port_key read_port_key(std::string_view text) {
    auto const slash = text.find('/');
    port_key key;
    key.port = read_port(text.substr(0, slash), "Ports");
    if (slash != std::string_view::npos) key.protocol = text.substr(slash + 1);
    return key;
}

/// Ranges ("8000-8010/tcp") stay unexpanded in HostConfig of some clients: they are left out.
bool is_range(std::string_view text) {
    return text.substr(0, text.find('/')).find('-') != std::string_view::npos;
}

std::map<port_key, std::vector<port_binding>> read_bindings(value const& all) {
    std::map<port_key, std::vector<port_binding>> out;
    if (all.is_null()) return out;
    if (!all.is_object()) json::wrong("Ports", "an object");
    for (auto const& [text, bindings] : all.items()) {
        if (is_range(text)) continue;
        auto& list = out[read_port_key(text)];
        if (bindings.is_null()) continue;
        if (!bindings.is_array()) json::wrong("Ports", "a list of bindings");
        for (auto const& binding : bindings) {
            port_binding b;
            b.host_ip = json::text(binding, "HostIp");
            auto const port = json::text(binding, "HostPort");
            // Empty or a range while the engine has not chosen yet.
            if (!port.empty() && !is_range(port)) b.host_port = read_port(port, "HostPort");
            list.push_back(std::move(b));
        }
    }
    return out;
}

std::vector<port_key> read_exposed(value const& all) {
    std::vector<port_key> out;
    if (all.is_null()) return out;
    if (!all.is_object()) json::wrong("ExposedPorts", "an object");
    for (auto const& [text, ignored] : all.items()) {
        if (!is_range(text)) out.push_back(read_port_key(text));
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::map<std::string, network_endpoint> read_networks(value const& all) {
    std::map<std::string, network_endpoint> out;
    if (all.is_null()) return out;
    if (!all.is_object()) json::wrong("Networks", "an object");
    for (auto const& [name, one] : all.items()) {
        network_endpoint e;
        e.network_id = json::text(one, "NetworkID");
        e.ip = json::text(one, "IPAddress");
        e.ip6 = json::text(one, "GlobalIPv6Address");
        out.emplace(name, std::move(e));
    }
    return out;
}

std::string without_slash(std::string name) {
    if (!name.empty() && name.front() == '/') name.erase(0, 1);
    return name;
}

std::string read_id(value const& v, std::string_view key) {
    auto id = json::text(v, key);
    if (id.empty()) json::wrong(key, "an ID");
    return id;
}

container read_container(value const& v) {
    auto const& state = json::member(v, "State");
    auto const& config = json::member(v, "Config");
    auto const& host = json::member(v, "HostConfig");
    auto const& network = json::member(v, "NetworkSettings");
    container c;
    c.id = read_id(v, "Id");
    c.name = without_slash(json::text(v, "Name"));
    c.image = json::text(config, "Image");
    c.hostname = json::text(config, "Hostname");
    c.user = json::text(config, "User");
    c.network_mode = json::text(host, "NetworkMode");
    c.restart_policy = json::text(json::member(host, "RestartPolicy"), "Name");
    // How "docker run" without --network is recorded, and what it means.
    if (c.network_mode.empty() || c.network_mode == "default") c.network_mode = "bridge";
    c.state = read_state(state);
    c.pid = json::number<std::int32_t>(state, "Pid");
    c.argv.push_back(json::text(v, "Path"));
    for (auto& word : json::text_list(v, "Args"))
        c.argv.push_back(std::move(word));
    c.exit_code = json::number<int>(state, "ExitCode");
    c.health = read_health(state);
    c.started_at = json::text(state, "StartedAt");
    c.env = json::text_list(config, "Env");
    c.labels = json::text_map(config, "Labels");
    c.exposed = read_exposed(json::member(config, "ExposedPorts"));
    c.ports = read_bindings(json::member(network, "Ports"));
    c.wanted_ports = read_bindings(json::member(host, "PortBindings"));
    c.networks = read_networks(json::member(network, "Networks"));
    c.resolv_conf_path = json::text(v, "ResolvConfPath");
    for (auto const& mount : json::member(v, "Mounts"))
        if (json::text(mount, "Type") == "bind") c.bound.push_back(json::text(mount, "Source"));
    return c;
}

/// The parts of "Up 5 minutes (healthy)" that are no ages: those in parentheses.
std::string ageless(std::string_view status) {
    std::string out;
    while (true) {
        auto const open = status.find('(');
        if (open == std::string_view::npos) return out;
        auto const close = status.find(')', open);
        if (close == std::string_view::npos) return out;
        out += status.substr(open, close - open + 1);
        status.remove_prefix(close + 1);
    }
}

list_entry read_list_entry(value const& v) {
    list_entry e;
    e.id = read_id(v, "Id");
    auto rest = v;
    rest["Status"] = ageless(json::text(v, "Status"));
    rest.erase("SizeRw");
    rest.erase("SizeRootFs");
    if (rest.contains("Health") && rest["Health"].is_object())
        rest["Health"].erase("FailingStreak");
    // In the order of a Go map: another each time.
    if (rest.contains("Ports") && rest["Ports"].is_array()) {
        std::sort(rest["Ports"].begin(), rest["Ports"].end());
    }
    e.fingerprint = json::dump(rest);
    return e;
}

value const& list_of(value const& v, std::string_view what) {
    if (!v.is_array()) json::wrong(what, "a list");
    return v;
}

}  // namespace

result<container> decode_container(std::string_view document) {
    return json::decode(document, "the container", read_container);
}

result<std::vector<list_entry>> decode_list(std::string_view document) {
    return json::decode(document, "the list of containers", [](value const& v) {
        std::vector<list_entry> out;
        for (auto const& one : list_of(v, "containers"))
            out.push_back(read_list_entry(one));
        return out;
    });
}

result<event> decode_event(std::string_view document) {
    auto decoded = json::decode(document, "the event", [](value const& v) {
        auto const& actor = json::member(v, "Actor");
        event e;
        e.type = json::text(v, "Type");
        e.action = json::text(v, "Action");
        e.actor_id = json::text(actor, "ID");
        e.attributes = json::text_map(actor, "Attributes");
        e.time_nano = json::number<std::int64_t>(v, "timeNano");
        if (e.type.empty()) json::wrong("Type", "the event's type");
        if (e.action.empty()) json::wrong("Action", "the event's action");
        return e;
    });
    if (decoded.has_value()) return decoded;
    auto f = decoded.error();
    f.doing += ": " + std::string(document.substr(0, 200));
    return f;
}

result<engine_info> decode_info(std::string_view document) {
    return json::decode(document, "the engine's info", [](value const& v) {
        engine_info i;
        i.id = json::text(v, "ID");
        i.name = json::text(v, "Name");
        i.server_version = json::text(v, "ServerVersion");
        if (i.name.empty()) json::wrong("Name", "the engine's host name");
        return i;
    });
}

result<std::vector<network>> decode_networks(std::string_view document) {
    return json::decode(document, "the list of networks", [](value const& v) {
        std::vector<network> out;
        for (auto const& one : list_of(v, "networks")) {
            network n;
            n.id = read_id(one, "Id");
            n.name = json::text(one, "Name");
            n.driver = json::text(one, "Driver");
            n.internal = json::flag(one, "Internal");
            auto const& configs = json::member(json::member(one, "IPAM"), "Config");
            if (!configs.is_null()) {
                for (auto const& config : list_of(configs, "IPAM.Config")) {
                    auto subnet = json::text(config, "Subnet");
                    if (!subnet.empty()) n.subnets.push_back(std::move(subnet));
                }
            }
            out.push_back(std::move(n));
        }
        return out;
    });
}

std::string encode_exec(std::vector<std::string> const& argv) {
    value body = value::object();
    body["AttachStdout"] = true;
    body["AttachStderr"] = true;
    body["Cmd"] = argv;
    return json::dump(body);
}

result<std::string> decode_exec_id(std::string_view document) {
    return json::decode(document, "what was made", [](value const& v) { return read_id(v, "Id"); });
}

result<std::optional<int>> decode_exec_exit(std::string_view document) {
    return json::decode(document, "the exec", [](value const& v) -> std::optional<int> {
        auto const& code = json::member(v, "ExitCode");
        if (json::flag(v, "Running") || code.is_null()) return std::nullopt;
        return json::number<int>(v, "ExitCode");
    });
}

std::string error_message(std::string_view body) {
    auto const text =
        json::decode(body, "the error", [](value const& v) { return json::text(v, "message"); });
    return text.has_value() && !text->empty() ? *text : std::string(body);
}

std::optional<std::pair<unsigned, unsigned>> parse_version(std::string_view text) {
    std::pair<unsigned, unsigned> v;
    auto const* const end = text.data() + text.size();
    auto const major = std::from_chars(text.data(), end, v.first);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
    auto const minor = std::from_chars(major.ptr + 1, end, v.second);
    if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
    return v;
}

result<std::string> negotiate(std::string_view engine) {
    constexpr std::pair<unsigned, unsigned> oldest{1, 41};
    constexpr std::pair<unsigned, unsigned> newest{1, 52};
    auto const theirs = parse_version(engine);
    if (!theirs) {
        return failure{errc::bad_answer,
                       "the engine names no API version: \"" + std::string(engine) + "\""};
    }
    if (*theirs < oldest) {
        return failure{errc::bad_answer, "the engine speaks API " + std::string(engine) +
                                             ", bevmesh needs 1.41 (Docker 20.10) or later"};
    }
    auto const ours = std::min(*theirs, newest);
    return std::to_string(ours.first) + "." + std::to_string(ours.second);
}

std::string events_query(std::int64_t since_nano) {
    // With health_status among them the engine compares prefixes (moby daemon/events/filter.go),
    // which these are.
    std::string query =
        "?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%2C%22event%22%3A%5B";
    char const* separator = "";
    for (auto const* const action : {"start", "die", "pause", "unpause", "rename", "update",
                                     "destroy", "health_status", "connect", "disconnect"}) {
        query.append(separator).append("%22").append(action).append("%22");
        separator = "%2C";
    }
    query += "%5D%7D";
    if (since_nano > 0) {
        constexpr std::int64_t second = 1'000'000'000;
        auto fraction = std::to_string(since_nano % second);
        fraction.insert(0, 9 - fraction.size(), '0');
        query += "&since=" + std::to_string(since_nano / second) + "." + fraction;
    }
    return query;
}

}  // namespace bevmesh::docker
