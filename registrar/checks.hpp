// The checks of a service: what Consul runs, what the daemon probes and reports, with explicit IDs.
//
// Whatever Consul can run is a native check, so that it goes on when the daemon does not; tcp, http
// and https have a probe on the same target, so that they are born true. redis, postgres and
// Docker's HEALTHCHECK are TTL checks that the daemon reports; their TTL is a day, so that a daemon
// stopped for an hour takes nothing out of DNS, and a native TCP check stands beside them, so that
// a dead port is seen meanwhile. Notes are constant text: changing output is a write to Raft
// (hashicorp/consul#157, #2754).
//
// Times where nothing is said: http and https 30 s, timeout 10 s, critical after 3 failures, 40 s
// of start (the seed's health checks); tcp 10 s, timeout 2 s (a connect that takes longer is a dead
// peer: Linux repeats a lost SYN after 1 s); the others 10 s, timeout 5 s.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registrar/registration.hpp"

namespace bevmesh::registrar {

inline constexpr milliseconds reported_ttl{24 * 3600 * 1000};

/// What the checks of a service are about.
struct check_target {
    std::string service_id;
    std::string service_name;
    std::string container;     // for people; empty: a process of the node
    std::string container_id;  // empty: a process of the node
    std::string address;       // without brackets
    std::uint16_t port = 0;    // 0: the service has none
    std::string protocol = "tcp";
    std::map<std::string, std::uint16_t> ports;  // for check_config::port
};

struct check_wishes {
    std::optional<std::vector<check_config>> named;  // absent: the default; empty: none
    bool tcp_by_default = true;                      // the default on a TCP port
    bool mirror_docker = false;
    std::optional<check_config> registrator;  // SERVICE_CHECK_*
};

/// CheckIDs are `bevmesh:SERVICE-ID:KEY`, KEY the check's name or kind (and port), with a hash of
/// its definition where two would be the same: another order gives the same IDs. registrator's
/// check is `service:SERVICE-ID`, Consul's own name for the only check: applications send their TTL
/// heartbeats there. What cannot be checked (a docker check of a service that is no container) or
/// would be refused by Consul is left out, with a note.
[[nodiscard]] std::vector<wanted_check> wanted_checks(check_wishes const& wishes,
                                                      check_target const& target,
                                                      std::vector<note>& notes);

}  // namespace bevmesh::registrar
