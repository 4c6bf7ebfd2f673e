// `bevmesh dns doctor|apply|remove`: names of the mesh on this host and in its containers.
//
// Needs no daemon. `dns probe`, which is not in the help, is this program asking from where it
// runs: the others start it, on the host and in containers.
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "config/loader.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/dns_view.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"
#include "registrar/dns/apply.hpp"
#include "registrar/dns/probe.hpp"

namespace bevmesh::cli {
namespace {

namespace dns = registrar::dns;
using nlohmann::json;

struct arguments {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string service;
    bool restart_docker = false;
    bool yes = false;
};

struct probe_arguments {
    std::vector<std::string> names;
    std::string missing;
    std::string timeout = "2s";
};

std::optional<mesh_config> load(session& run, arguments const& args) {
    auto loaded = config::load_file(args.config_file);
    for (auto const& problem : loaded.problems)
        run.io().err << config::to_string(problem) << "\n";
    if (loaded.problems.empty()) return std::move(loaded.value);
    run.finish(exit_status::local_error);
    return std::nullopt;
}

dns::dns_options options_for(session& run, arguments const& args) {
    dns::dns_options options;
    options.service = args.service;
    options.restart_engine = args.restart_docker;
    options.say = [&run](std::string const& sentence) {
        run.io().err << printable(sentence) << "\n";
    };
    options.agree = [&run, &args](std::vector<std::string> const& lines) {
        for (auto const& line : lines)
            run.io().err << printable(line) << "\n";
        return run.agreed(args.yes);
    };
    return options;
}

void judge_exit(session& run, dns::observations const& seen) {
    if (is_degraded(judge(seen))) run.finish(exit_status::degraded);
}

void fail(session& run, failure const& f) {
    run.fail(f);
    if (f.code == errc::conflict) run.finish(exit_status::refused);
    if (f.code == errc::forbidden) run.finish(exit_status::local_error);
}

void doctor(session& run, settings const& how, arguments const& args) {
    auto const config = load(run, args);
    if (!config) return;
    auto const options = options_for(run, args);
    auto const seen = look_around(*config, options);
    if (!seen) return fail(run, seen.error());
    auto const answer = to_json(*seen);
    run.show(how, answer, [&](page const& on) { return draw_doctor(answer, on); });
    judge_exit(run, *seen);
}

void apply(session& run, settings const& how, arguments const& args) {
    auto const config = load(run, args);
    if (!config) return;
    auto const options = options_for(run, args);
    auto const done = dns::apply(*config, options);
    // A "no" has said so already.
    if (!done && done.error().code == errc::canceled) return;
    if (!done) return fail(run, done.error());
    auto answer = to_json(done->after);
    answer["changed"] = done->changed;
    answer["files"] = json::array();
    for (auto const& f : done->plan.files)
        answer["files"].push_back(f.path);
    answer["left_out"] = done->plan.left_out;
    run.show(how, answer, [&](page const& on) {
        std::string text = draw_doctor(answer, on);
        for (auto const& sentence : done->plan.left_out)
            text += "not done: " + printable(sentence) + "\n";
        return text + (done->changed ? "Applied. `bevmesh dns remove` takes it all back.\n"
                                     : "Nothing to change.\n");
    });
    judge_exit(run, done->after);
}

void remove(session& run, settings const& how, arguments const& args) {
    auto const config = load(run, args);
    if (!config) return;
    auto const options = options_for(run, args);
    auto const done = dns::remove(*config, options);
    if (!done && done.error().code == errc::canceled) return;
    if (!done) return fail(run, done.error());
    json const answer{{"paths", done->paths}, {"problems", done->problems}};
    run.show(how, answer, [&](page const&) {
        std::string text;
        for (auto const& path : done->paths)
            text += printable(path) + " is as before\n";
        return text.empty() && done->problems.empty() ? "Nothing of bevmesh's is here.\n" : text;
    });
    for (auto const& problem : done->problems)
        run.fail({errc::local_error, problem});
}

void probe(session& run, probe_arguments const& args) {
    auto const timeout = config::parse_duration(args.timeout);
    if (!timeout) return run.fail({errc::bad_input, "--timeout: not a duration"});
    dns::question_list const questions{args.names, args.missing, *timeout};
    run.io().out << to_json(dns::ask_here(questions)).dump() << "\n";
}

void add_verb(CLI::App& dns, session& run, std::string const& name, std::string const& help,
              std::string const& examples,
              void (*act)(session&, settings const&, arguments const&)) {
    auto& command = *dns.add_subcommand(name, help);
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("--config,-c", args->config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    if (name != "remove")
        command
            .add_option("--service", args->service,
                        "A service to ask for; else one that is registered")
            ->type_name("NAME");
    if (name != "doctor") {
        command.add_flag("--restart-docker", args->restart_docker,
                         "Docker may be restarted, where it must read daemon.json");
        command.add_flag("--yes,-y", args->yes, "Do it without asking");
    }
    add_output_options(command, said);
    command.footer(examples);
    command.callback([args, said, act, &run] {
        if (auto const how = run.understand(*said)) act(run, *how, *args);
    });
}

}  // namespace

void add_dns_command(CLI::App& app, session& run) {
    auto& dns = *app.add_subcommand("dns", "Make the mesh's names resolve here and in containers");
    dns.require_subcommand(1);
    add_verb(dns, run, "doctor", "Ask from the host and from each Docker network; changes nothing",
             "Exit status: 0 names resolve everywhere, 3 they do not.\n\n"
             "Examples:\n  bevmesh dns doctor\n  bevmesh dns doctor --service redis --format json",
             doctor);
    add_verb(dns, run, "apply", "Send the mesh's domain to Consul, by drop-ins; checked, or undone",
             "Shows which files it will write and asks; what it replaces is kept. If names do not\n"
             "resolve afterwards, everything is taken back.\n\n"
             "Examples:\n  bevmesh dns apply\n  bevmesh dns apply --restart-docker --yes",
             apply);
    add_verb(dns, run, "remove", "Take back what apply did: every file as it was before",
             "Examples:\n  bevmesh dns remove --yes", remove);
    auto const args = std::make_shared<probe_arguments>();
    auto& command = *dns.add_subcommand("probe", "Ask from here, and print what was answered");
    command.group("");
    command.add_option("names", args->names, "Names");
    command.add_option("--missing", args->missing, "A name that does not exist");
    command.add_option("--timeout", args->timeout, "Of each question");
    command.callback([args, &run] { probe(run, *args); });
}

}  // namespace bevmesh::cli
