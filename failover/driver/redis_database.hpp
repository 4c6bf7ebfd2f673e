// A Redis as the driver's database: failover/redis' calls with this group's limits and addresses.
#pragma once

#include "failover/driver/database.hpp"
#include "failover/policy.hpp"
#include "failover/redis/server.hpp"

namespace bevmesh::failover {

struct redis_options {
    failover::policy policy;
    redis::addresses where;  // every member's, also this node's
    /// For a connection to `at`, with the group's user, password and TLS.
    std::function<bevmesh::redis::settings(redis::address const& at)> login;
    std::string data_dir;  // as this process sees it; empty: nothing can be quarantined
    std::string quarantine_dir;
};

/// `house` must outlive it.
[[nodiscard]] std::unique_ptr<database_port> make_redis_database(
    boost::asio::any_io_executor executor, housing& house, redis_options options);

}  // namespace bevmesh::failover
