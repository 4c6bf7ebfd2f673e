// `bevmesh services maint`: takes a node's instances of a service out of DNS, and back.
//
// It changes the mesh: it says what it will do and asks. The wish is kept by the daemon, over its
// restarts and the container's.
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/problem.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/maintenance_plan.hpp"
#include "mesh/cli/services_view.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

struct arguments {
    std::string service;
    std::string state;
    std::string reason;
    std::string node;
    bool yes = false;
};

/// Where else the service is, or what else was meant.
failure not_here(std::string const& service, std::string const& node, json const& services) {
    std::string elsewhere;
    for (auto const& s : member_at(services, "services")) {
        if (text_at(s, "name") != service) continue;
        for (auto const& i : member_at(s, "instances"))
            elsewhere += (elsewhere.empty() ? "" : ", ") + text_at(i, "node");
    }
    auto text = "node " + node + " has no service " + service;
    if (elsewhere.empty())
        text += config::did_you_mean(service, service_names(services));
    else
        text += "; it is on " + elsewhere + ": say --node";
    return {errc::not_found, text};
}

void maintain(session& run, settings const& how, arguments const& args) {
    auto const daemon = how.daemon();
    auto const status = daemon.get("/v1/status");
    if (!status) return run.fail(status.error());
    auto const here = text_at(*status, "node");
    auto const node = args.node.empty() ? here : args.node;
    auto const there = node == here ? "" : "?node=" + net::percent_encode(node);
    auto const services = daemon.get("/v1/services" + there);
    if (!services) return run.fail(services.error());
    maintenance_wish const wish{args.service, args.state == "on", args.reason};
    auto const plan = plan_maintenance(wish, *services, node);
    // The daemon may remember a wish for a service whose container is gone: `off` is its to judge.
    if (plan.instances.empty() && wish.on) return run.fail(not_here(wish.service, node, *services));
    for (auto const& line : plan.lines)
        run.io().err << line << "\n";
    if (!run.agreed(args.yes)) return;
    json const asked{{"service", wish.service}, {"on", wish.on}, {"reason", wish.reason}};
    auto const answer = daemon.post("/v1/maintenance" + there, asked);
    if (!answer) return run.fail(answer.error());
    run.show(how, *answer, [&](page const&) {
        std::string drawn;
        for (auto const& id : texts_at(*answer, "affected"))
            drawn += printable(id) + (wish.on ? " is in maintenance\n" : " is back\n");
        return drawn;
    });
}

}  // namespace

void add_maintenance_command(CLI::App& services, session& run) {
    auto& command = *services.add_subcommand(
        "maint", "Take a node's instances of a service out of DNS, or back");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("name", args->service, "A service, or the ID of one instance")
        ->type_name("NAME")
        ->required();
    auto& state =
        *command.add_option("state", args->state, "on: out of DNS; off: as its checks say")
             ->type_name("on|off")
             ->required();
    allow_only(state, {"on", "off"});
    command.add_option("--reason", args->reason, "Why; shown wherever the service is")
        ->type_name("TEXT");
    command.add_option("--node", args->node, "The instances of this node instead of our own")
        ->type_name("NODE");
    command.add_flag("--yes,-y", args->yes, "Do it without asking");
    add_common_options(command, said);
    command.footer(
        "Examples:\n"
        "  bevmesh services maint redis on --reason 'disk replaced'\n"
        "  bevmesh services maint redis off --yes\n"
        "  bevmesh services maint redis on --node oracle1");
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) maintain(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
