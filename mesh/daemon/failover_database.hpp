// From a group's configuration to the driver's database: addresses, logins, directories.
#pragma once

#include <memory>

#include "failover/driver/database.hpp"
#include "failover/driver/lease_store.hpp"
#include "failover/policy.hpp"
#include "mesh/base/failover_config.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::daemon {

struct database_settings {
    failover_group_config const& group;
    failover::policy const& rules;  // of this node
    failover::service_addresses const& where;
    secret password;
};

/// errc::bad_input: what the kind of database needs and the configuration does not say. `house`
/// must outlive it.
[[nodiscard]] result<std::unique_ptr<failover::database_port>> make_database(
    boost::asio::any_io_executor executor, failover::housing& house, database_settings from);

}  // namespace bevmesh::daemon
