// The daemon of this node, asked over its unix socket; blocking.
//
// Failures are the daemon's own sentences and kinds. Where it cannot be reached at all, the
// sentence ends in what a person can do about it.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::net {
struct http_request;
}

namespace bevmesh::cli {

class daemon_client {
public:
    /// `timeout`: of each request.
    daemon_client(std::string socket, milliseconds timeout)
        : socket_(std::move(socket)), timeout_(timeout) {}

    /// `target`: path and query, percent-encoded.
    [[nodiscard]] result<nlohmann::json> get(std::string const& target) const;
    [[nodiscard]] result<nlohmann::json> post(std::string const& target,
                                              nlohmann::json const& body) const;

private:
    [[nodiscard]] result<nlohmann::json> send(net::http_request request) const;

    std::string socket_;
    milliseconds timeout_;
};

}  // namespace bevmesh::cli
