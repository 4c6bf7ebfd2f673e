// `bevmesh guard`: what the unit bevmesh-guard@ runs, and what its and the daemon's ExecStopPost
// do.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <ostream>
#include <pwd.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>

#include "failover/guard/caller.hpp"
#include "failover/guard/server.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {
namespace {

namespace guard = failover::guard;

struct wish {
    std::string group;
    std::string directory = "/run/bevmesh-guard";
    std::string socket;
    std::string user = "root";
    std::string watchdog;
    unsigned watchdog_timeout = 10;
    bool fence = false;
    bool status = false;

    [[nodiscard]] std::string socket_of(std::string const& name) const {
        return socket.empty() ? directory + "/" + name + ".sock" : socket;
    }
    [[nodiscard]] std::string state_of(std::string const& name) const {
        return directory + "/" + name + ".state";
    }
};

/// A name that is a file's name too, and stays in its directory.
bool is_group(std::string const& name) {
    auto const fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
    return !name.empty() && name.size() < 64 && std::ranges::all_of(name, fits);
}

result<uid_t> user_id(std::string const& name) {
    auto const* const entry = ::getpwnam(name.c_str());
    if (entry == nullptr) return failure{errc::not_found, "user " + name + ": there is none"};
    return entry->pw_uid;
}

/// Readable when the process is told to stop.
int stop_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (int const number : {SIGTERM, SIGINT, SIGHUP})
        ::sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC);
}

result<void> serve(wish const& how) {
    auto const user = user_id(how.user);
    if (!user) return user.error();
    guard::server_options options;
    options.group = how.group;
    options.socket = how.socket_of(how.group);
    options.state_file = how.state_of(how.group);
    options.user = *user;
    options.watchdog = how.watchdog;
    options.watchdog_timeout = seconds(how.watchdog_timeout);
    options.stop = stop_signals();
    if (options.stop < 0) return failure{errc::local_error, "guard: no descriptor for signals"};
    auto const made = guard::make_server(std::move(options));
    if (!made) return made.error();
    return (*made)->run();
}

std::vector<std::string> groups_in(std::string const& directory) {
    std::vector<std::string> names;
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(directory, none))
        if (entry.path().extension() == ".state") names.push_back(entry.path().stem());
    std::ranges::sort(names);
    return names;
}

result<guard::answer> ask_guard(wish const& how, std::string const& group) {
    auto made = guard::caller::connect(how.socket_of(group));
    if (!made) return made.error();
    return made->ask(guard::request(), milliseconds(500));
}

/// Fences each group that neither a guard nor a daemon looks after.
void fence(wish const& how, session& run) {
    auto const groups =
        how.group.empty() ? groups_in(how.directory) : std::vector<std::string>(1, how.group);
    for (auto const& group : groups) {
        if (ask_guard(how, group)) continue;
        auto const done = guard::fence_from_file(how.state_of(group), seconds(5), true);
        if (!done)
            run.fail(done.error());
        else if (*done)
            run.io().err << "guard " << group << ": fenced, nobody looked after it\n";
    }
}

void show_status(wish const& how, session& run) {
    auto const got = ask_guard(how, how.group);
    if (!got) return run.fail(got.error());
    auto const seconds_of = [&](std::int64_t ns) {
        return static_cast<double>(ns - got->now_ns) / 1e9;
    };
    auto& out = run.io().out;
    out << "guard " << guard::get_text(got->guard_id) << " pid " << got->guard_pid << ": "
        << guard::text(got->phase);
    if (got->phase == guard::phase::armed)
        out << " on pid " << got->victim.pid << ", deadline in "
            << seconds_of(got->term.deadline_ns) << " s";
    if (got->phase == guard::phase::dead)
        out << " (" << guard::text(got->cause) << ") since " << -seconds_of(got->dead_ns) << " s";
    out << "; " << got->locked_bytes / 1024 << " KiB in memory, "
        << (got->realtime != 0 ? "real-time" : "ordinary") << " priority\n";
}

}  // namespace

void add_guard_command(CLI::App& app, session& run) {
    auto const how = std::make_shared<wish>();
    auto& command = *app.add_subcommand(
        "guard", "Kill a group's database when its lease runs out (the unit runs this)");
    command.group("");  // not for typing
    command.add_option("--group", how->group, "The group of the configuration")->type_name("GROUP");
    command.add_option("--directory", how->directory, "Where sockets and state files are")
        ->type_name("DIR")
        ->capture_default_str();
    command.add_option("--socket", how->socket, "The socket, if it is elsewhere")
        ->type_name("PATH");
    command.add_option("--user", how->user, "Whom the daemon runs as, besides root")
        ->type_name("NAME")
        ->capture_default_str();
    command.add_option("--watchdog", how->watchdog, "The kernel's watchdog, /dev/watchdog")
        ->type_name("PATH");
    command.add_option("--watchdog-timeout", how->watchdog_timeout, "Until the machine resets")
        ->type_name("SECONDS")
        ->capture_default_str();
    command.add_flag("--fence", how->fence,
                     "Kill what a guard held, if neither it nor the daemon is there any more");
    command.add_flag("--status", how->status, "Show what the group's guard holds");
    command.footer(
        "Examples:\n"
        "  bevmesh guard --group redis --user bevmesh\n"
        "  bevmesh guard --group redis --status\n"
        "  bevmesh guard --fence");
    command.callback([how, &run] {
        bool const all = how->fence && how->group.empty();
        if (!all && !is_group(how->group))
            return run.fail(
                {errc::bad_input, "guard: --group is needed: letters, digits, - and _"});
        if (how->fence) return fence(*how, run);
        if (how->status) return show_status(*how, run);
        auto const served = serve(*how);
        if (!served) run.fail(served.error());
    });
}

}  // namespace bevmesh::cli
