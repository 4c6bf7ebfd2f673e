#include "mesh/cli/app.hpp"

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "config/problem.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/config_command.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

char const* const description =
    "bevmesh: containers on several hosts as one mesh. A service is known by its name, has health\n"
    "checks in Consul, and is reached from every node by NAME.service.consul.\n";

char const* const footer =
    "Each command has --help with examples. Options may stand before the command or after it.\n"
    "Data goes to the standard output, everything else to the standard error.\n\n"
    "Exit status: 0 done, 1 usage or local error, 2 a remote part failed, 3 degraded, 4 timed "
    "out,\n"
    "5 refused for safety, 130 interrupted.\n\n"
    "Examples:\n"
    "  bevmesh status\n"
    "  bevmesh services --status critical\n"
    "  bevmesh resolve redis";

void build(CLI::App& app, session& run) {
    app.name("bevmesh");
    app.get_formatter()->column_width(34);
    app.set_version_flag("--version,-V", "bevmesh " BEVMESH_VERSION, "Print the version");
    app.set_help_flag("--help,-h", "Print help");
    app.footer(footer);
    app.require_subcommand(1);
    add_daemon_command(app, run);
    add_registrator_command(app, run);
    add_status_command(app, run);
    add_services_command(app, run);
    add_resolve_command(app, run);
    add_scan_command(app, run);
    add_dns_command(app, run);
    add_verify_command(app, run);
    add_consul_command(app, run);
    add_vault_command(app, run);
    add_config_command(app, run.status(), run.io().out, run.io().err);
    add_certs_command(app, run);
    add_failover_command(app, run);
    add_guard_command(app, run);
    add_version_command(app, run);
}

bool takes_value(std::string const& option) {
    return option == "--format" || option == "--socket" || option == "--timeout";
}

/// Common options that stand before the command go behind it, where they are declared: one place
/// for each, whose help says what it does there. `help [COMMAND...]` is `[COMMAND...] --help`.
std::vector<std::string> rearrange(std::vector<std::string> arguments) {
    std::size_t before = 0;
    while (before < arguments.size()) {
        auto const& one = arguments[before];
        auto const equals = one.find('=');
        if (takes_value(one))
            before = std::min(before + 2, arguments.size());
        else if (one == "--no-color" ||
                 (equals != std::string::npos && takes_value(one.substr(0, equals))))
            ++before;
        else
            break;
    }
    auto const verb = arguments.begin() + static_cast<std::ptrdiff_t>(before);
    if (verb == arguments.end()) return arguments;
    if (*verb == "help") {
        arguments.erase(verb);
        arguments.emplace_back("--help");
        return arguments;
    }
    // Not behind "--", where everything is a name.
    auto const end = std::find(verb, arguments.end(), "--");
    std::rotate(arguments.begin(), verb, end);
    return arguments;
}

/// The command that the arguments reached before they went wrong.
CLI::App const& deepest(CLI::App const& app) {
    CLI::App const* at = &app;
    while (!at->get_subcommands().empty())
        at = at->get_subcommands().back();
    return *at;
}

std::string path_of(CLI::App const& command) {
    auto const* const parent = command.get_parent();
    return parent == nullptr ? "bevmesh" : path_of(*parent) + " " + command.get_name();
}

std::vector<std::string> commands_of(CLI::App const& app) {
    std::vector<std::string> names;
    for (auto const* sub : app.get_subcommands([](auto const*) { return true; }))
        names.push_back(sub->get_name());
    return names;
}

std::vector<std::string> options_of(CLI::App const& app) {
    std::vector<std::string> names;
    for (auto const* option : app.get_options())
        for (auto const& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

std::string in_quotes(std::string const& word) {
    return "\"" + word + "\"";
}

/// CLI11 knows what it did not expect; a person wants to know what was.
std::string explain(CLI::App const& app, CLI::ParseError const& error) {
    auto const& at = deepest(app);
    auto const left = app.remaining(true);
    if (left.empty()) {
        if (!at.get_subcommands([](auto const*) { return true; }).empty() &&
            dynamic_cast<CLI::RequiredError const*>(&error) != nullptr)
            return "a command is missing";
        return error.what();
    }
    auto const& word = left.front();
    if (word.size() > 1 && word.front() == '-') {
        auto const option = word.substr(0, word.find('='));
        return "there is no option " + in_quotes(option) +
               config::did_you_mean(option, options_of(at));
    }
    auto const commands = commands_of(at);
    if (commands.empty()) return in_quotes(word) + " was not expected";
    return "there is no command " + in_quotes(word) + config::did_you_mean(word, commands);
}

int complain(CLI::App const& app, CLI::ParseError const& error, session& run) {
    auto const path = path_of(deepest(app));
    run.say((path == "bevmesh" ? "" : path.substr(8) + ": ") + explain(app, error));
    run.io().err << "Try: " << path << " --help\n";
    return static_cast<int>(exit_status::local_error);
}

}  // namespace

int run(std::vector<std::string> arguments, console io, session::daemon_runner run_daemon) {
    session one_run(io, std::move(run_daemon));
    CLI::App app(description);
    build(app, one_run);
    auto words = rearrange(std::move(arguments));
    std::ranges::reverse(words);  // as CLI11 takes them
    try {
        app.parse(std::move(words));
    } catch (CLI::CallForHelp const&) {
        io.out << app.help();
    } catch (CLI::CallForVersion const&) {
        io.out << "bevmesh " BEVMESH_VERSION "\n";
    } catch (CLI::ParseError const& error) {
        return complain(app, error, one_run);
    }
    return one_run.status();
}

}  // namespace bevmesh::cli
