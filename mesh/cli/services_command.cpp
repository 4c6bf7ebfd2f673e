// `bevmesh services`: the list, and the words around it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/problem.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/services_view.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

struct arguments {
    std::string name;
    services_filter filter;
};

char const* const examples =
    "Statuses: passing, warning, critical, maintenance; and of services that this node has not\n"
    "announced: announcing, removing, refused, failing. A stand-in has the tag stand-in.\n\n"
    "Examples:\n"
    "  bevmesh services\n"
    "  bevmesh services redis               with the checks and their output\n"
    "  bevmesh services --status critical\n"
    "  bevmesh services --node thanos --format yaml\n"
    "  bevmesh services maint redis on --reason 'disk replaced'";

/// The daemon knows what else there is; that it cannot be asked changes nothing about the failure.
failure with_suggestion(failure f, daemon_client const& daemon, std::string const& name) {
    if (f.code != errc::not_found) return f;
    if (auto const all = daemon.get("/v1/services"))
        f.doing += config::did_you_mean(name, service_names(*all));
    return f;
}

void list(session& run, settings const& how, arguments const& args) {
    auto const daemon = how.daemon();
    auto filter = args.filter;
    if (!filter.node.empty()) {
        auto const status = daemon.get("/v1/status");
        if (!status) return run.fail(status.error());
        filter.this_node = text_at(*status, "node");
    }
    auto const query = args.name.empty() ? "" : "?name=" + net::percent_encode(args.name);
    auto const answer = daemon.get("/v1/services" + query);
    if (!answer) return run.fail(with_suggestion(answer.error(), daemon, args.name));
    auto const selected = select_services(*answer, filter);
    bool const nothing = selected["services"].empty() && selected["local"].empty();
    if (nothing && how.as == format::table) return run.say("no service to show");
    bool const checks = !args.name.empty();
    run.show(how, selected, [&](page const& on) { return draw_services(selected, checks, on); });
}

}  // namespace

void add_services_command(CLI::App& app, session& run) {
    auto& command = *app.add_subcommand("services", "The mesh's services and their health");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("name", args->name, "Only this service, with its checks")->type_name("NAME");
    command.add_option("--node", args->filter.node, "Only instances on this node")
        ->type_name("NODE");
    auto& status =
        *command.add_option("--status", args->filter.status, "Only instances in this state")
             ->type_name("STATUS");
    allow_only(status, {"passing", "warning", "critical", "maintenance", "announced", "announcing",
                        "removing", "refused", "failing"});
    add_common_options(command, said);
    command.footer(examples);
    command.require_subcommand(0, 1);
    add_maintenance_command(command, run);
    command.callback([args, said, &command, &run] {
        if (!command.get_subcommands().empty()) return;
        if (auto const how = run.understand(*said)) list(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
