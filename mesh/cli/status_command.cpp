// `bevmesh status`.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "mesh/cli/commands.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/status_view.hpp"

namespace bevmesh::cli {

void add_status_command(CLI::App& app, session& run) {
    auto& command = *app.add_subcommand("status", "This node's daemon, its peers and its notes");
    auto const said = options_of_environment();
    add_common_options(command, said);
    command.footer(
        "Exit status: 0 ok, 2 the daemon does not answer, 3 degraded, 4 no answer in time.\n\n"
        "Examples:\n"
        "  bevmesh status\n"
        "  bevmesh status --format json | jq .registrar\n"
        "  bevmesh status > /dev/null || echo 'look at it'");
    command.callback([said, &run] {
        auto const how = run.understand(*said);
        if (!how) return;
        auto const answer = how->daemon().get("/v1/status");
        if (!answer) return run.fail(answer.error());
        run.show(*how, *answer, [&](page const& on) { return draw_status(*answer, on); });
        run.finish(judge_status(*answer));
    });
}

}  // namespace bevmesh::cli
