// `bevmesh failover`: who is primary, why, and the orders that change it. Those say what they will
// do and ask.
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/failover_view.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

struct arguments {
    std::string group;
    std::string node;
    std::string duration = "1h";
    bool accept_data_loss = false;
    bool yes = false;
};

/// A daemon that knows better is a safety gate that said no.
void fail(session& run, failure const& f) {
    run.fail(f);
    if (f.code == errc::conflict) run.finish(exit_status::refused);
}

void show_status(session& run, settings const& how, std::string const& group, bool explain) {
    auto const answer = how.daemon().get("/v1/failover?group=" + group);
    if (!answer) return run.fail(answer.error());
    run.show(how, *answer, [&](page const& on) {
        return explain ? draw_failover_explain(*answer, on) : draw_failover_status(*answer, on);
    });
    if (!explain && failover_is_degraded(*answer)) run.finish(exit_status::degraded);
}

void show_history(session& run, settings const& how, std::string const& group) {
    auto const answer = how.daemon().get("/v1/failover/history?group=" + group);
    if (!answer) return run.fail(answer.error());
    run.show(how, *answer, [&](page const& on) { return draw_failover_history(*answer, on); });
}

std::string sentence(std::string const& order, arguments const& args) {
    auto const group = printable(args.group);
    auto const node = printable(args.node);
    if (order == "switchover") return "The primary of " + group + " moves to " + node + ".";
    if (order == "promote")
        return node + " becomes the primary of " + group +
               (args.accept_data_loss ? ", whatever writes it lacks: THEY ARE LOST."
                                      : ", if it has every write.");
    if (order == "init")
        return "A new record of " + group + " is made, with " + node + " as its primary.";
    return "What was moved automatically in " + group + " counts as seen; the damping ends.";
}

void give_order(session& run, settings const& how, std::string const& order,
                arguments const& args) {
    auto const daemon = how.daemon();
    auto const topology = daemon.get("/v1/failover?group=" + args.group);
    if (!topology) return run.fail(topology.error());
    run.io().err << draw_failover_status(*topology, how.on) << sentence(order, args) << "\n";
    if (!run.agreed(args.yes)) return;
    json const asked{{"group", args.group},
                     {"order", order},
                     {"node", args.node},
                     {"accept_data_loss", args.accept_data_loss}};
    auto const answer = daemon.post("/v1/failover/order", asked);
    if (!answer) return fail(run, answer.error());
    run.show(how, *answer, [&](page const&) {
        return printable(text_at(*answer, "node")) + " was told; see `bevmesh failover status " +
               printable(args.group) + "`\n";
    });
}

void pause(session& run, settings const& how, arguments const& args, bool on) {
    auto const length = on ? config::parse_duration(args.duration) : milliseconds(0);
    if (!length) return run.fail({errc::bad_input, "pause: no duration such as 30m or 2h"});
    auto const whole = std::chrono::duration_cast<seconds>(*length).count();
    run.io().err << (on ? "Nothing moves by itself in " : "Ends the pause of ")
                 << printable(args.group) << (on ? " for " + printable(args.duration) : "")
                 << ".\n";
    if (!run.agreed(args.yes)) return;
    json const asked{{"group", args.group}, {"seconds", whole}};
    auto const answer = how.daemon().post("/v1/failover/pause", asked);
    if (!answer) return fail(run, answer.error());
    run.show(how, *answer, [&](page const&) {
        std::string drawn;
        for (auto const& node : texts_at(*answer, "not_reached"))
            drawn += printable(node) + " was not reached, and is not paused\n";
        return drawn + (on ? "paused\n" : "resumed\n");
    });
    if (!texts_at(*answer, "not_reached").empty()) run.finish(exit_status::degraded);
}

using action = std::function<void(session&, settings const&, arguments const&)>;

CLI::App& add(CLI::App& failover, session& run, std::string const& name, std::string const& what,
              std::shared_ptr<arguments> const& args, action does) {
    auto& command = *failover.add_subcommand(name, what);
    auto const said = options_of_environment();
    command.add_option("group", args->group, "The group")->type_name("GROUP");
    add_common_options(command, said);
    command.callback([args, said, does = std::move(does), &run] {
        if (auto const how = run.understand(*said)) does(run, *how, *args);
    });
    return command;
}

void add_order(CLI::App& failover, session& run, std::string const& name, std::string const& what,
               bool with_node) {
    auto const args = std::make_shared<arguments>();
    auto& command = add(failover, run, name, what, args,
                        [name](session& s, settings const& how, arguments const& a) {
                            give_order(s, how, name, a);
                        });
    command.get_option("group")->required();
    if (with_node)
        command.add_option("--node", args->node, "Who is to be primary")
            ->type_name("NODE")
            ->required();
    if (name == "promote")
        command.add_flag("--accept-data-loss", args->accept_data_loss,
                         "Even if it lacks writes: they are lost");
    command.add_flag("--yes,-y", args->yes, "Do it without asking");
}

}  // namespace

void add_failover_command(CLI::App& app, session& run) {
    auto& failover = *app.add_subcommand(
        "failover", "Who is primary, why, and how to change it: the databases that move");
    failover.require_subcommand(1);
    add(failover, run, "status", "The lease and the members of each group",
        std::make_shared<arguments>(), [](session& s, settings const& how, arguments const& a) {
            show_status(s, how, a.group, false);
        });
    add(failover, run, "explain", "Why each member would or would not be promoted now",
        std::make_shared<arguments>(), [](session& s, settings const& how, arguments const& a) {
            show_status(s, how, a.group, true);
        });
    auto& history = add(
        failover, run, "history", "The last steps, with their times", std::make_shared<arguments>(),
        [](session& s, settings const& how, arguments const& a) { show_history(s, how, a.group); });
    history.get_option("group")->required();
    add_order(failover, run, "switchover", "Move the primary, losing nothing", true);
    add_order(failover, run, "promote", "Make a node the primary where nobody is", true);
    add_order(failover, run, "init", "Make the first record of a group", true);
    add_order(failover, run, "ack", "What was moved automatically has been seen", false);
    for (bool const on : {true, false}) {
        auto const args = std::make_shared<arguments>();
        auto& command = add(
            failover, run, on ? "pause" : "resume",
            on ? "For maintenance: nothing moves by itself" : "End a pause", args,
            [on](session& s, settings const& how, arguments const& a) { pause(s, how, a, on); });
        command.get_option("group")->required();
        if (on)
            command.add_option("--for", args->duration, "How long, at most")
                ->type_name("DURATION")
                ->capture_default_str();
        command.add_flag("--yes,-y", args->yes, "Do it without asking");
    }
    failover.footer(
        "Examples:\n"
        "  bevmesh failover status\n"
        "  bevmesh failover switchover redis --node oracle1\n"
        "  bevmesh failover pause redis --for 30m --yes");
}

}  // namespace bevmesh::cli
