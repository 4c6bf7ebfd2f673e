// `bevmesh daemon`.
#include <cstdlib>
#include <memory>

#include <CLI/CLI.hpp>

#include "mesh/cli/commands.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {

void add_daemon_command(CLI::App& app, session& run) {
    auto const how = std::make_shared<daemon::options>();
    auto& command = *app.add_subcommand("daemon", "Run the daemon of this node in the foreground");
    command.add_option("--config,-c", how->config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    command
        .add_option("--node,-n", how->node,
                    "Which node of the mesh this is; else the one called like the host")
        ->type_name("NAME")
        ->envname("BEVMESH_NODE");
    command.footer(
        "Signals: SIGHUP reads the configuration again and keeps the old one where the new one is\n"
        "wrong; SIGTERM stops in order. Registrations stay in Consul; a restart finds them.\n\n"
        "Examples:\n"
        "  bevmesh daemon --node thanos\n"
        "  bevmesh config validate && systemctl reload bevmesh");
    command.callback([how, &run] { run.status() = run.run_daemon(*how); });
}

}  // namespace bevmesh::cli
