// What Prometheus and load balancers ask of the daemon, on the loopback.
//
//   GET /metrics  the exposition format; names by Prometheus' conventions, bevmesh_ and process_
//   GET /livez    200 while the event loop turns
//   GET /readyz   200 when Docker and Consul answer and the first pass is done, else 503 and why
//   not
// Values are read when they are asked for; nothing is counted twice.
#pragma once

#include <string>

#include "mesh/consul/client.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/net/http.hpp"
#include "registrar/driver.hpp"

namespace bevmesh::daemon {

class certificates;
class failover_groups;

/// All must outlive the endpoint.
struct metrics_sources {
    registrar::reconciler const& core;
    registrar::driver const& driver;
    peers const& nodes;
    failover_groups const& groups;
    certificates const& kept;
    std::string version;
};

class metrics {
public:
    explicit metrics(metrics_sources sources) : from_(std::move(sources)) {}

    net::awaitable<net::http_response> handle(net::http_request request);

    /// The exposition format, version 0.0.4.
    [[nodiscard]] std::string exposition() const;

    /// Empty when ready, else a line for each reason why not.
    [[nodiscard]] std::string not_ready();

private:
    metrics_sources from_;
    bool settled_once_ = false;
};

}  // namespace bevmesh::daemon
