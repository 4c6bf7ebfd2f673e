#include "mesh/consul/codec.hpp"

#include "mesh/base/json_fields.hpp"

namespace bevmesh::consul {

std::string_view name(status s) noexcept {
    switch (s) {
        case status::passing:
            return "passing";
        case status::warning:
            return "warning";
        case status::critical:
            return "critical";
        case status::maintenance:
            return "maintenance";
    }
    return "critical";
}

namespace {

using json::value;

void put(value& object, char const* key, std::string const& text) {
    if (!text.empty()) object[key] = text;
}

void put(value& object, char const* key, std::optional<milliseconds> duration) {
    if (duration) object[key] = encode_duration(*duration);
}

void put(value& object, char const* key, unsigned number) {
    if (number != 0) object[key] = number;
}

void put_true(value& object, char const* key, bool flag) {
    if (flag) object[key] = true;
}

value to_json(check_definition const& c) {
    value out = value::object();
    put(out, "CheckID", c.id);
    put(out, "Name", c.name);
    put(out, "Notes", c.notes);
    put(out, "HTTP", c.http);
    put(out, "Method", c.method);
    if (!c.header.empty()) out["Header"] = c.header;
    put(out, "Body", c.body);
    put(out, "TCP", c.tcp);
    put_true(out, "TCPUseTLS", c.tcp_use_tls);
    put(out, "UDP", c.udp);
    put(out, "GRPC", c.grpc);
    put_true(out, "GRPCUseTLS", c.grpc_use_tls);
    put(out, "H2PING", c.h2ping);
    if (!c.h2ping.empty()) out["H2PingUseTLS"] = c.h2ping_use_tls;
    if (!c.args.empty()) out["Args"] = c.args;
    put(out, "DockerContainerID", c.docker_container_id);
    put(out, "Shell", c.shell);
    put(out, "TTL", c.ttl);
    put(out, "AliasService", c.alias_service);
    put(out, "AliasNode", c.alias_node);
    put(out, "Interval", c.interval);
    put(out, "Timeout", c.timeout);
    put(out, "DeregisterCriticalServiceAfter", c.deregister_after);
    put_true(out, "TLSSkipVerify", c.tls_skip_verify);
    put(out, "TLSServerName", c.tls_server_name);
    put(out, "SuccessBeforePassing", c.success_before_passing);
    put(out, "FailuresBeforeWarning", c.failures_before_warning);
    put(out, "FailuresBeforeCritical", c.failures_before_critical);
    put(out, "Status", c.initial_status);
    return out;
}

status read_status(value const& object) {
    auto const text = json::text(object, "Status");
    for (auto const s : {status::passing, status::warning, status::critical, status::maintenance}) {
        if (text == name(s)) return s;
    }
    json::wrong("Status", "passing, warning, critical or maintenance");
}

agent_service read_service(value const& v) {
    agent_service s;
    s.id = json::text(v, "ID");
    s.name = json::text(v, "Service");
    s.tags = json::text_list(v, "Tags");
    s.address = json::text(v, "Address");
    s.port = json::number<std::uint16_t>(v, "Port");
    s.meta = json::text_map(v, "Meta");
    s.enable_tag_override = json::flag(v, "EnableTagOverride");
    if (s.id.empty()) json::wrong("ID", "a service's ID");
    return s;
}

agent_check read_check(value const& v) {
    agent_check c;
    c.id = json::text(v, "CheckID");
    c.name = json::text(v, "Name");
    c.status = read_status(v);
    c.service_id = json::text(v, "ServiceID");
    c.type = json::text(v, "Type");
    c.output = json::text(v, "Output");
    c.notes = json::text(v, "Notes");
    return c;
}

value const& list_of(value const& v, std::string_view what) {
    if (!v.is_array()) json::wrong(what, "a list");
    return v;
}

value const& map_of(value const& v, std::string_view what) {
    if (!v.is_object()) json::wrong(what, "an object");
    return v;
}

}  // namespace

std::string encode_registration(service_definition const& d) {
    value out = value::object();
    out["ID"] = d.id;
    out["Name"] = d.name;
    out["Tags"] = d.tags;
    put(out, "Address", d.address);
    put(out, "Port", unsigned{d.port});
    out["Meta"] = d.meta;
    for (auto const& [key, where] : d.tagged_addresses) {
        value one = value::object();
        one["Address"] = where.first;
        one["Port"] = where.second;
        out["TaggedAddresses"][key] = std::move(one);
    }
    put_true(out, "EnableTagOverride", d.enable_tag_override);
    out["Checks"] = value::array();
    for (auto const& check : d.checks)
        out["Checks"].push_back(to_json(check));
    return json::dump(out);
}

std::string encode_check_update(status state, std::string_view output) {
    value out = value::object();
    out["Status"] = name(state == status::maintenance ? status::critical : state);
    out["Output"] = output;
    return json::dump(out);
}

result<agent_self> decode_self(std::string_view document) {
    return json::decode(document, "the agent's self", [](value const& v) {
        auto const& config = json::member(v, "Config");
        agent_self s;
        s.node_name = json::text(config, "NodeName");
        s.node_id = json::text(config, "NodeID");
        s.datacenter = json::text(config, "Datacenter");
        s.version = json::text(config, "Version");
        s.advertise_address = json::text(json::member(v, "Member"), "Addr");
        if (s.node_name.empty()) json::wrong("Config.NodeName", "the node's name");
        auto const& debug = json::member(v, "DebugConfig");
        s.dns_max_stale = json::text(debug, "DNSMaxStale");
        s.dns_allow_stale = json::flag(debug, "DNSAllowStale");
        s.dns_enable_truncate = json::flag(debug, "DNSEnableTruncate");
        return s;
    });
}

result<std::map<std::string, agent_service>> decode_agent_services(std::string_view document) {
    return json::decode(document, "the agent's services", [](value const& v) {
        std::map<std::string, agent_service> out;
        for (auto const& [id, entry] : map_of(v, "services").items()) {
            out.emplace(id, read_service(entry));
        }
        return out;
    });
}

result<agent_service> decode_agent_service(std::string_view document) {
    return json::decode(document, "the agent's service", read_service);
}

result<std::map<std::string, agent_check>> decode_agent_checks(std::string_view document) {
    return json::decode(document, "the agent's checks", [](value const& v) {
        std::map<std::string, agent_check> out;
        for (auto const& [id, entry] : map_of(v, "checks").items()) {
            out.emplace(id, read_check(entry));
        }
        return out;
    });
}

result<agent_entry> decode_agent_entry(std::string_view document) {
    return json::decode(document, "the agent's service with its checks", [](value const& v) {
        agent_entry e;
        e.service = read_service(json::member(v, "Service"));
        auto const& checks = json::member(v, "Checks");
        if (checks.is_null()) return e;
        for (auto const& entry : list_of(checks, "Checks")) {
            auto check = read_check(entry);
            auto id = check.id;
            e.checks.emplace(std::move(id), std::move(check));
        }
        return e;
    });
}

result<std::map<std::string, std::vector<std::string>>> decode_catalog_services(
    std::string_view document) {
    return json::decode(document, "the catalog's services", [](value const& v) {
        std::map<std::string, std::vector<std::string>> out;
        for (auto const& [service, tags] : map_of(v, "services").items()) {
            out.emplace(service, json::text_list(v, service));
        }
        return out;
    });
}

result<std::vector<health_entry>> decode_catalog_service(std::string_view document) {
    return json::decode(document, "the catalog's service", [](value const& v) {
        std::vector<health_entry> out;
        for (auto const& entry : list_of(v, "instances")) {
            health_entry e;
            e.node = json::text(entry, "Node");
            e.node_address = json::text(entry, "Address");
            e.service.id = json::text(entry, "ServiceID");
            e.service.name = json::text(entry, "ServiceName");
            e.service.tags = json::text_list(entry, "ServiceTags");
            e.service.address = json::text(entry, "ServiceAddress");
            e.service.port = json::number<std::uint16_t>(entry, "ServicePort");
            e.service.meta = json::text_map(entry, "ServiceMeta");
            e.service.enable_tag_override = json::flag(entry, "ServiceEnableTagOverride");
            out.push_back(std::move(e));
        }
        return out;
    });
}

result<std::vector<health_entry>> decode_health_service(std::string_view document) {
    return json::decode(document, "the service's health", [](value const& v) {
        std::vector<health_entry> out;
        for (auto const& entry : list_of(v, "instances")) {
            health_entry e;
            auto const& node = json::member(entry, "Node");
            e.node = json::text(node, "Node");
            e.node_address = json::text(node, "Address");
            e.service = read_service(json::member(entry, "Service"));
            auto const& checks = json::member(entry, "Checks");
            if (!checks.is_null()) {
                for (auto const& check : list_of(checks, "Checks")) {
                    e.checks.push_back(read_check(check));
                }
            }
            out.push_back(std::move(e));
        }
        return out;
    });
}

result<std::vector<kv_entry>> decode_kv(std::string_view document) {
    return json::decode(document, "the KV entries", [](value const& v) {
        std::vector<kv_entry> out;
        for (auto const& entry : list_of(v, "entries")) {
            kv_entry e;
            e.key = json::text(entry, "Key");
            auto decoded = base64_decode(json::text(entry, "Value"));
            if (decoded.has_error()) json::wrong("Value", "base64");
            e.value = std::move(*decoded);
            e.modify_index = json::number<std::uint64_t>(entry, "ModifyIndex");
            e.flags = json::number<std::uint64_t>(entry, "Flags");
            e.session = json::text(entry, "Session");
            out.push_back(std::move(e));
        }
        return out;
    });
}

result<std::string> decode_transaction_errors(std::string_view document) {
    return json::decode(document, "the transaction's answer", [](value const& v) {
        std::string out;
        for (auto const& error : list_of(json::member(v, "Errors"), "Errors")) {
            if (!out.empty()) out += "; ";
            auto const which = json::number<std::uint32_t>(error, "OpIndex");
            out += "operation " + std::to_string(which) + ": " + json::text(error, "What");
        }
        return out;
    });
}

result<std::string> decode_token(std::string_view document) {
    return json::decode(document, "the token", [](value const& v) {
        auto out = json::text(v, "AccessorID");
        if (out.empty()) json::wrong("AccessorID", "an ID");
        std::string names;
        for (auto const* const kind : {"Policies", "Roles", "TemplatedPolicies"}) {
            auto const& all = json::member(v, kind);
            if (all.is_null()) continue;
            for (auto const& one : list_of(all, kind)) {
                auto text = json::text(one, "Name");
                if (text.empty()) text = json::text(one, "TemplateName");
                names += (names.empty() ? "" : ", ") + text;
            }
        }
        return out + " (" + names + ")";
    });
}

}  // namespace bevmesh::consul
