// `bevmesh version`.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "mesh/cli/commands.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {

void add_version_command(CLI::App& app, session& run) {
    auto& command = *app.add_subcommand("version", "Print the version");
    auto const said = options_of_environment();
    add_output_options(command, said);
    command.callback([said, &run] {
        auto const how = run.understand(*said);
        if (!how) return;
        nlohmann::json const value{{"version", BEVMESH_VERSION}};
        run.show(*how, value, [](page const&) { return "bevmesh " BEVMESH_VERSION "\n"; });
    });
}

}  // namespace bevmesh::cli
