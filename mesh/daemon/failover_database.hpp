// From a group's configuration to the driver's database: addresses, logins, directories.
#pragma once

#include <memory>

#include "certs/reload.hpp"
#include "failover/driver/database.hpp"
#include "failover/driver/lease_store.hpp"
#include "failover/policy.hpp"
#include "mesh/base/config.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::daemon {

/// By which certificates a group's database is met.
struct database_certificates {
    failover_tls_config ours;  // the daemon's
    certs::file_paths its;     // of a standby, a rewind, a base backup: as the server sees them
};
/// As the group's `tls` says. Where that is on and names no file: the daemon takes the certificate
/// that is kept for the group's service here, if it is a PostgreSQL, whose role is in the common
/// name; else its own of Vault. `its` are the service's, and empty where it has none.
[[nodiscard]] database_certificates certificates_for(failover_group_config const& group,
                                                     mesh_config const& mesh,
                                                     std::string const& node);

/// The same files by the name of their generation, where all are in one folder: read one after the
/// other by a link that moves meanwhile, a certificate and a key would be of two. To be called for
/// each connection.
[[nodiscard]] failover_tls_config of_one_generation(failover_tls_config tls);

struct database_settings {
    failover_group_config const& group;
    failover::policy const& rules;  // of this node
    failover::service_addresses const& where;
    database_certificates certificates;
    secret password;
    std::string state_dir;
};

/// errc::bad_input: what the kind of database needs and the configuration does not say. `house`
/// must outlive it.
[[nodiscard]] result<std::unique_ptr<failover::database_port>> make_database(
    boost::asio::any_io_executor executor, failover::housing& house, database_settings from);

}  // namespace bevmesh::daemon
