// Consul's agent, catalog and health answers, as far as bevmesh uses them. Field names follow
// Consul's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/time.hpp"

namespace bevmesh::consul {

enum class status { passing, warning, critical, maintenance };

/// One entry of a registration's Checks (agent/check/register). Exactly one kind is set.
struct check_definition {
    std::string id;  // CheckID, always explicit: generated ones depend on the position
    std::string name;
    std::string notes;
    std::string http;  // URL, http or https
    std::string method;
    std::map<std::string, std::vector<std::string>> header;
    std::string body;
    std::string tcp;  // host:port
    bool tcp_use_tls = false;
    std::string udp;
    std::string grpc;  // host:port or host:port/service
    bool grpc_use_tls = false;
    std::string h2ping;
    bool h2ping_use_tls = true;
    std::vector<std::string> args;  // script; with docker_container_id: in the container
    std::string docker_container_id;
    std::string shell;
    std::optional<milliseconds> ttl;
    std::string alias_service;
    std::string alias_node;
    std::optional<milliseconds> interval;
    std::optional<milliseconds> timeout;
    std::optional<milliseconds> deregister_after;
    bool tls_skip_verify = false;
    std::string tls_server_name;
    unsigned success_before_passing = 0;
    unsigned failures_before_warning = 0;
    unsigned failures_before_critical = 0;
    std::string initial_status;  // "passing", "warning", "critical"; empty: critical

    friend bool operator==(check_definition const&, check_definition const&) = default;
};

/// The body of PUT /v1/agent/service/register.
struct service_definition {
    std::string id;
    std::string name;
    std::vector<std::string> tags;  // compared as a set
    std::string address;
    std::uint16_t port = 0;
    std::map<std::string, std::string> meta;
    std::map<std::string, std::pair<std::string, std::uint16_t>> tagged_addresses;
    bool enable_tag_override = false;
    std::vector<check_definition> checks;

    friend bool operator==(service_definition const&, service_definition const&) = default;
};

/// An entry of GET /v1/agent/services.
struct agent_service {
    std::string id;
    std::string name;
    std::vector<std::string> tags;
    std::string address;
    std::uint16_t port = 0;
    std::map<std::string, std::string> meta;
    bool enable_tag_override = false;

    friend bool operator==(agent_service const&, agent_service const&) = default;
};

/// An entry of GET /v1/agent/checks.
struct agent_check {
    std::string id;
    std::string name;
    consul::status status = consul::status::critical;
    std::string service_id;
    std::string type;
    std::string output;
    std::string notes;

    friend bool operator==(agent_check const&, agent_check const&) = default;
};

/// An entry of the agent with its checks: GET /v1/agent/health/service/id/ID.
struct agent_entry {
    agent_service service;
    std::map<std::string, agent_check> checks;  // by check ID; without their types

    friend bool operator==(agent_entry const&, agent_entry const&) = default;
};

/// An entry of GET /v1/health/service/NAME (and, without checks, of /v1/catalog/service/NAME).
struct health_entry {
    std::string node;
    std::string node_address;
    agent_service service;
    std::vector<agent_check> checks;

    friend bool operator==(health_entry const&, health_entry const&) = default;
};

struct agent_self {
    std::string node_name;
    std::string node_id;
    std::string datacenter;
    std::string advertise_address;
    std::string version;
    // From DebugConfig, whose form Consul does not promise: empty and false where it is not there.
    std::string dns_max_stale;  // a Go duration
    bool dns_allow_stale = false;
    bool dns_enable_truncate = false;
};

struct kv_entry {
    std::string key;
    std::string value;  // decoded
    std::uint64_t modify_index = 0;
    std::uint64_t flags = 0;
    std::string session;

    friend bool operator==(kv_entry const&, kv_entry const&) = default;
};

[[nodiscard]] std::string_view name(status s) noexcept;

}  // namespace bevmesh::consul
