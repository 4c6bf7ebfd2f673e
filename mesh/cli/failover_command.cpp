// `bevmesh failover`: who is primary, why, and the orders that change it. Those say what they will
// do and ask.
#include <ostream>
#include <pwd.h>
#include <unistd.h>

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
    std::string at;  // of a switchover to come
    bool cancel = false;
    bool all = false;
    bool accept_data_loss = false;
    bool yes = false;
};

/// Who gives the order, for those who read of it later.
std::string user() {
    auto const* const entry = ::getpwuid(::getuid());
    return entry == nullptr ? std::to_string(::getuid()) : std::string(entry->pw_name);
}

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
        auto said = printable(text_at(*answer, "node")) +
                    " was told; see `bevmesh failover status " + printable(args.group) + "`\n";
        for (auto const& node : member_at(*answer, "unaware"))
            said += (node.is_string() ? printable(node.get<std::string>()) : "a node") +
                    std::string(" does not answer, and was not told\n");
        return said;
    });
}

void schedule(session& run, settings const& how, arguments const& args) {
    auto const daemon = how.daemon();
    auto const topology = daemon.get("/v1/failover?group=" + args.group);
    if (!topology) return run.fail(topology.error());
    auto const group = printable(args.group);
    run.io().err << draw_failover_status(*topology, how.on)
                 << (args.cancel ? "The switchover of " + group + " to come is called off."
                                 : "The primary of " + group + " moves to " + printable(args.node) +
                                       " at " + printable(args.at) + ".")
                 << "\n";
    if (!run.agreed(args.yes)) return;
    json const asked{{"group", args.group}, {"node", args.node}, {"at", args.at}, {"by", user()}};
    auto const answer = daemon.post("/v1/failover/schedule", asked);
    if (!answer) return fail(run, answer.error());
    run.show(how, *answer, [&](page const&) {
        return std::string(args.cancel ? "called off\n" : "scheduled\n");
    });
}

/// Now, later, or not at all.
void switchover(session& run, settings const& how, arguments const& args) {
    if (args.cancel && args.node.empty() && args.at.empty()) return schedule(run, how, args);
    if (args.cancel)
        return run.fail({errc::bad_input, "switchover: --cancel goes without --node and --at"});
    if (args.node.empty())
        return run.fail({errc::bad_input, "switchover: --node is needed: who is to be primary"});
    if (!args.at.empty()) return schedule(run, how, args);
    give_order(run, how, "switchover", args);
}

void pause(session& run, settings const& how, arguments args, bool on) {
    if (args.group.empty() != args.all)
        return run.fail({errc::bad_input, std::string(on ? "pause" : "resume") +
                                              ": name a group, or --all for the whole mesh"});
    auto const what = args.all ? "the whole mesh" : printable(args.group);
    if (args.all) args.group = "*";
    auto const length = on ? config::parse_duration(args.duration) : milliseconds(0);
    if (!length) return run.fail({errc::bad_input, "pause: no duration such as 30m or 2h"});
    auto const whole = std::chrono::duration_cast<seconds>(*length).count();
    run.io().err << (on ? "Nothing moves by itself in " : "Ends the pause of ") << what
                 << (on ? " for " + printable(args.duration) : "") << ".\n";
    if (!run.agreed(args.yes)) return;
    json const asked{{"group", args.group}, {"seconds", whole}, {"by", user()}};
    auto const answer = how.daemon().post("/v1/failover/pause", asked);
    if (!answer) return fail(run, answer.error());
    run.show(how, *answer, [&](page const&) {
        auto said = on ? "paused until " + printable(text_at(*answer, "until")) + "\n"
                       : std::string("resumed\n");
        for (auto const& node : member_at(*answer, "unaware"))
            said += (node.is_string() ? printable(node.get<std::string>()) : "a node") +
                    std::string(" has not confirmed it: it learns of it from Consul\n");
        return said;
    });
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

void add_switchover(CLI::App& failover, session& run) {
    auto const args = std::make_shared<arguments>();
    auto& command =
        add(failover, run, "switchover", "Move the primary, losing nothing", args, switchover);
    command.get_option("group")->required();
    command.add_option("--node", args->node, "Who is to be primary")->type_name("NODE");
    command
        .add_option("--at", args->at,
                    "Later, UTC: 2026-11-28T02:30Z. It is tried for a minute, then given up")
        ->type_name("TIME");
    command.add_flag("--cancel", args->cancel, "Call off the one to come");
    command.add_flag("--yes,-y", args->yes, "Do it without asking");
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
    add_switchover(failover, run);
    add_order(failover, run, "promote", "Make a node the primary where nobody is", true);
    add_order(failover, run, "init", "Make the first record of a group", true);
    add_order(failover, run, "ack", "What was moved automatically has been seen", false);
    for (bool const on : {true, false}) {
        auto const args = std::make_shared<arguments>();
        auto& command = add(
            failover, run, on ? "pause" : "resume",
            on ? "For maintenance: nothing moves by itself" : "End a pause", args,
            [on](session& s, settings const& how, arguments const& a) { pause(s, how, a, on); });
        command.add_flag("--all", args->all, "Every group of the mesh");
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
        "  bevmesh failover switchover redis --node thanos --at 2026-11-28T02:30Z\n"
        "  bevmesh failover pause redis --for 30m --yes");
}

}  // namespace bevmesh::cli
