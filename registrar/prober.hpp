// Runs the daemon's own tests against services: one connection each, under the probe's timeout.
//
// What counts as an answer follows Consul's checks of the same kind, so that a service is born with
// the state that Consul would find: tcp connects; http(s) answers 2xx (429 is a warning there, and
// no pass here). redis answers PING with PONG; NOAUTH means alive where no password is configured;
// LOADING and MASTERDOWN do not pass. postgres accepts connections as pg_isready sees it: a
// rejected password proves that it does, "the database system is starting up" that it does not.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "registrar/registration.hpp"

namespace bevmesh::registrar {

struct probe_outcome {
    bool passing = false;
    std::string detail;  // why not
};

class prober {
public:
    virtual ~prober() = default;
    /// Never fails: what could not be tried does not pass.
    virtual boost::asio::awaitable<probe_outcome> run(probe what) = 0;
};

[[nodiscard]] std::unique_ptr<prober> make_prober(boost::asio::any_io_executor executor);

// One kind each; `prober` chooses.
boost::asio::awaitable<probe_outcome> probe_tcp(probe const& what);
boost::asio::awaitable<probe_outcome> probe_http(probe const& what);
boost::asio::awaitable<probe_outcome> probe_redis(probe const& what);
boost::asio::awaitable<probe_outcome> probe_postgres(probe const& what);

/// The first line of a password file; empty when none is named. For redis and postgres.
[[nodiscard]] result<secret> read_password(std::string const& path);

}  // namespace bevmesh::registrar
