// What the registrar wants Consul to hold for one service, and what it needs to keep it true.
//
// Made by services_of() from a container or from the configuration, consumed by the plan and by the
// reconciler. Pure values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/consul/types.hpp"
#include "mesh/docker/types.hpp"

namespace bevmesh::registrar {

/// A test that the daemon itself runs against a service.
enum class probe_kind { tcp, http, https, redis, postgres };

struct probe {
    probe_kind kind = probe_kind::tcp;
    std::string host;  // literal address or name, unbracketed
    std::uint16_t port = 0;
    std::string path;  // http(s)
    std::string method = "GET";
    std::map<std::string, std::vector<std::string>> headers;
    std::string body;
    bool tls_skip_verify = false;
    std::string tls_server_name;
    std::string user;  // redis, postgres
    std::string database;
    std::string password_file;
    milliseconds timeout{1'000};

    friend bool operator==(probe const&, probe const&) = default;
};

/// Whose word a check's status is.
enum class reporter {
    consul,         // a native check: Consul runs it; we only see to it that it is born true
    daemon,         // a TTL check that we probe and report (redis, postgres)
    docker_health,  // a TTL check that mirrors the container's HEALTHCHECK
    application,    // a TTL check that the service itself reports
};

struct wanted_check {
    consul::check_definition definition;  // initial_status only where the user named one
    reporter by = reporter::consul;
    std::optional<registrar::probe> probe;  // run before the announcement; by daemon: also later
    milliseconds interval{10'000};          // by daemon: between probes
    /// So long after its start a service that does not answer yet is probed often.
    milliseconds start_period{0};

    friend bool operator==(wanted_check const&, wanted_check const&) = default;
};

/// Which source named the service; earlier ones win.
enum class origin { configured, labels, compat, compose, swarm };

struct registration {
    consul::service_definition
        service;  // `checks` stays empty; meta without the marks of ownership
    std::vector<wanted_check> checks;
    origin source = origin::configured;
    std::string container_id;    // full; empty: a process of the node
    std::string container_name;  // for people
    docker::health health = docker::health::none;
    /// Not empty: keep the entry but take it out of DNS ("container is paused").
    std::string suspended;
    /// A port that does not answer yet is announced, as critical, when this has passed.
    milliseconds announce_wait{2'000};
    std::string started_at;  // of the container: of two that want one ID the newer one has it

    friend bool operator==(registration const&, registration const&) = default;
};

/// Something that an admin should know about a container, once for each change of it.
struct note {
    enum class severity { info, warning };
    severity level = severity::warning;
    std::string code;  // stable: "loopback-binding", "ignored-false", "no-port", ...
    std::string text;  // a sentence with the names in it

    friend bool operator==(note const&, note const&) = default;
};

[[nodiscard]] std::string_view name(origin o) noexcept;
[[nodiscard]] std::string_view name(reporter r) noexcept;

}  // namespace bevmesh::registrar
