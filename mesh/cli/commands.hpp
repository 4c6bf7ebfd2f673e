// The commands: each adds itself to the command line, and when it was asked for, runs and leaves
// its exit status in the session, which outlives the parsing.
#pragma once

namespace CLI {
class App;
}

namespace bevmesh::cli {

class session;

void add_daemon_command(CLI::App& app, session& run);
void add_status_command(CLI::App& app, session& run);
void add_services_command(CLI::App& app, session& run);
void add_maintenance_command(CLI::App& services, session& run);  // services maint
void add_registrator_command(CLI::App& app, session& run);
void add_resolve_command(CLI::App& app, session& run);
void add_scan_command(CLI::App& app, session& run);
void add_dns_command(CLI::App& app, session& run);
void add_consul_command(CLI::App& app, session& run);
void add_vault_command(CLI::App& app, session& run);
void add_certs_command(CLI::App& app, session& run);
void add_certs_ca_command(CLI::App& certs, session& run);      // certs ca
void add_certs_revoke_command(CLI::App& certs, session& run);  // certs revoke
void add_failover_command(CLI::App& app, session& run);
void add_guard_command(CLI::App& app, session& run);
void add_verify_command(CLI::App& app, session& run);
void add_version_command(CLI::App& app, session& run);

}  // namespace bevmesh::cli
