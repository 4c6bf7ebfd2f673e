// `bevmesh verify`: is everything as the configuration says, on every node?
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/verify_view.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::cli {
namespace {

constexpr milliseconds pause{500};  // between two looks of --wait

struct arguments {
    verify_filter filter;
    std::string wait;
};

char const* const footer =
    "The matrix over every service of the configuration, against Docker, Consul and DNS of all\n"
    "nodes, and over nodes, networks and clocks. Every issue has a code that keeps its meaning, a\n"
    "sentence and a remedy. Categories: nodes, consul, docker, networks, services, names.\n"
    "Exit status: 0 no error (warnings may be), 3 an error or something unknown, 2 nothing could "
    "be "
    "asked.\n\n"
    "Examples:\n"
    "  bevmesh verify\n"
    "  bevmesh verify --only services --only networks\n"
    "  bevmesh verify --wait 1m                until all is well, or the time is over\n"
    "  bevmesh verify --format json | jq '.rows[] | select(.issues != [])'";

void verify(session& run, settings const& how, arguments const& args, milliseconds wait) {
    auto const daemon = how.daemon();
    auto const end = net::now() + wait;
    for (;;) {
        auto const answer = daemon.get("/v1/verify");
        bool const late = net::now() >= end;
        if (!answer && late) return run.fail(answer.error());
        if (answer) {
            auto const selected = select_rows(*answer, args.filter);
            bool const healthy = flag_at(selected, "healthy");
            if (healthy || late) {
                run.show(how, selected, [&](page const& on) { return draw_verify(selected, on); });
                return run.finish(healthy ? exit_status::done : exit_status::degraded);
            }
        }
        pause_for(pause);
    }
}

}  // namespace

void add_verify_command(CLI::App& app, session& run) {
    auto& command =
        *app.add_subcommand("verify", "Is everything as the configuration says, on every node?");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    auto& only = *command.add_option("--only", args->filter.only, "Only this category")
                      ->type_name("CATEGORY");
    auto& skip = *command.add_option("--skip", args->filter.skip, "All but this category")
                      ->type_name("CATEGORY");
    for (auto* option : {&only, &skip}) {
        allow_only(*option, verify_categories());
        option->delimiter(',')->allow_extra_args(false);
    }
    command.add_option("--wait", args->wait, "Look again until all is well, at most so long")
        ->type_name("DURATION");
    add_common_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        auto const how = run.understand(*said);
        if (!how) return;
        auto const wait = config::parse_duration(args->wait.empty() ? "0s" : args->wait);
        if (!wait)
            return run.fail({errc::bad_input, "--wait: \"" + args->wait +
                                                  "\" is wrong; expected a duration such as 30s"});
        verify(run, *how, *args, *wait);
    });
}

}  // namespace bevmesh::cli
