// A PostgreSQL as the driver's database: failover/postgres' calls with this group's limits and
// addresses, its data directory, and its own programs for what needs a stopped server.
//
// A primary is fenced by SIGKILL to all of it: SIGINT would wait for WAL senders. Before each start
// standby.signal is put there, which a promotion deletes; so nobody but this daemon may start the
// container, and one that Docker restarts by itself is not boot-fenced.
#pragma once

#include <functional>
#include <memory>

#include "failover/driver/database.hpp"
#include "failover/policy.hpp"
#include "failover/postgres/server.hpp"

namespace bevmesh::failover {

struct postgres_options {
    failover::policy policy;
    postgres::addresses where;  // every member's, also this node's
    /// For a connection to `at`, with the group's user, password and TLS.
    std::function<bevmesh::postgres::settings(postgres::address const& at)> login;
    postgres::replication_login replication;
    std::string data_dir;  // as this process sees it
    std::string quarantine_dir;
    std::string mark;  // a file of the daemon's own, see postgres::set_mark
};

/// `house` must outlive it.
[[nodiscard]] std::unique_ptr<database_port> make_postgres_database(
    boost::asio::any_io_executor executor, housing& house, postgres_options options);

}  // namespace bevmesh::failover
