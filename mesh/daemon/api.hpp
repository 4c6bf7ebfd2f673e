// The local API for the CLI: JSON over HTTP on the unix socket.
//
//   GET  /v1/status                this daemon, its peers, its registrar
//   GET  /v1/services[?name=N]     the mesh's services as Consul has them, and this node's own view
//   GET  /v1/resolve?name=N        the instances behind a DNS name
//   POST /v1/maintenance           {"service", "on", "reason"}: this node's instances
// services and maintenance are for other nodes' daemons too (?node=NAME asks that node); the rest
// is for the socket.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/consul/client.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/routes.hpp"
#include "registrar/driver.hpp"

namespace bevmesh::daemon {

/// What the API shows and may change; all must outlive it.
struct api_sources {
    registrar::reconciler& core;
    registrar::driver& driver;
    consul::client& consul;
    peers const& nodes;
    std::function<nlohmann::json()> process;  // version, node, pid, times, files
    /// Keeps a maintenance wish over restarts; its failure is told to the caller.
    std::function<result<void>(std::string const& service, std::string const& reason)> keep;
};

class api {
public:
    explicit api(api_sources sources) : from_(std::move(sources)) {}
    /// The table must not outlive this.
    void mount(routes& on);

private:
    // Each gives the JSON text of its answer.
    [[nodiscard]] std::string status() const;
    net::awaitable<result<std::string>> services(std::string only) const;
    net::awaitable<result<std::string>> resolve(std::string name) const;
    result<std::string> maintenance(call const& c);

    api_sources from_;
};

/// "redis.service.consul" → service "redis"; "primary.redis.service.bev.consul" → tag "primary".
struct dns_name {
    std::string service;
    std::string tag;
};
[[nodiscard]] dns_name parse_dns_name(std::string name, std::string const& domain);

/// maintenance before critical before warning before passing.
[[nodiscard]] consul::status overall(std::vector<consul::agent_check> const& checks);

}  // namespace bevmesh::daemon
