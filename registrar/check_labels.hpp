// One check from its labels: `bevmesh.check.N.X=VALUE`, here X and VALUE of one N.
//
// Exactly one X is the kind: http and https (the path), tcp, udp, h2ping, redis, postgres ("true"),
// grpc ("true" or the service in grpc.health.v1), script and docker (a command, split but not run
// by a shell; $SERVICE_IP and $SERVICE_PORT are filled in), ttl (a duration), alias (a service ID).
// The others are settings: name interval timeout start_period deregister_after header ("Name:
// value", or header.NAME) method body tls tls_skip_verify tls_server_name user database alias_node
// initial_status success_before_passing failures_before_warning failures_before_critical.
// password_file is refused: labels come with images, and an image must not choose which file of the
// node is read and sent to it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "mesh/base/config.hpp"

namespace bevmesh::registrar {

/// What is wrong with one label, for a note.
struct label_problem {
    std::string setting;   // X
    std::string expected;  // "a duration such as 30s"

    friend bool operator==(label_problem const&, label_problem const&) = default;
};

/// Empty without a usable kind (a problem says so); of several kinds the first of the list above.
[[nodiscard]] std::optional<check_config> read_check(
    std::map<std::string, std::string> const& settings, std::vector<label_problem>& problems);

}  // namespace bevmesh::registrar
