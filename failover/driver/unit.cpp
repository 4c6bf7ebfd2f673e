#include "failover/driver/unit.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "failover/driver/unit_state.hpp"
#include "failover/guard/caller.hpp"
#include "failover/guard/victim.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/program.hpp"

namespace bevmesh::failover {
namespace {

/// systemd answers in milliseconds.
constexpr milliseconds systemd_limit{5'000};
/// A unit that forks has no main process until its starter has ended.
constexpr milliseconds main_process_limit{1'000};
/// One that is still activating then is on its way: probes say how far it got.
constexpr milliseconds start_limit{5'000};
constexpr milliseconds look_each{50};
/// Between two strikes.
constexpr milliseconds strike_each{1};
constexpr std::size_t file_size_max = std::size_t{1} << 20U;

int signal_number(std::string const& name) {
    for (int number = 1; number < NSIG; ++number) {
        auto const* const known = ::sigabbrev_np(number);
        if (known != nullptr && name == known) return number;
    }
    return 0;
}

bool lives(std::int32_t pid) {
    auto const held = guard::open_process(pid);
    return held && !guard::has_ended(held.get());
}

/// systemd believes the file of a unit that forks only when its starter has ended, which for
/// PostgreSQL is seconds after it serves. Whom it names is in the unit's control group, or nobody.
void take_from_file(unit_state& state) {
    std::int32_t pid = 0;
    std::ifstream file(state.pid_file);
    guard::cgroup group;
    auto const directory = cgroup_directory(state.control_group);
    if (!(file >> pid) || directory.empty() || !group.open(directory.c_str())) return;
    if (!group.contains(pid)) return;
    state.main_pid = pid;
    state.main_started_us = 0;
}

bool same_process(unit_state const& a, unit_state const& b) {
    auto const both_known = a.main_started_us != 0 && b.main_started_us != 0;
    return a.main_pid == b.main_pid && (!both_known || a.main_started_us == b.main_started_us);
}

class unit_housing final : public housing {
public:
    explicit unit_housing(std::string unit) : unit_(std::move(unit)), name_("unit " + unit_) {}

    awaitable<result<running>> look() override {
        auto const seen = co_await settled();
        if (!seen) co_return seen.error();
        auto const directory = cgroup_directory(seen->control_group);
        if (seen->main_pid <= 0) co_return nothing_to_hold(*seen, directory);
        auto held = std::make_shared<descriptor>(guard::open_process(seen->main_pid));
        auto const who = guard::identify(seen->main_pid, directory, false);
        if (!who) co_return failure{who.error().code, name_ + ": " + who.error().doing};
        if (!*held) co_return failure{errc::not_found, name_ + ": its process is gone"};
        if (directory.empty())
            co_return failure{errc::local_error, name_ + ": its control group " +
                                                     seen->control_group + " cannot be seen"};
        // Else the pid could be another's by now.
        auto const again = co_await show();
        if (!again) co_return again.error();
        running r;
        r.where = seen->id;
        r.victim = *who;
        r.pidfd = std::move(held);
        r.argv = expand(seen->argv, seen->environment);
        r.restarted_by_others = !seen->restarted_by.empty();
        if (!same_process(*seen, *again) || !r.alive())
            co_return failure{errc::conflict, name_ + ": it was restarted meanwhile"};
        co_return r;
    }

    awaitable<result<void>> start() override {
        auto const end = net::now() + start_limit;
        auto before = co_await show();
        // systemd may not have seen yet that what was killed has ended.
        while (before && before->main_pid > 0 && !lives(before->main_pid) && net::now() < end) {
            co_await net::sleep_for(look_each);
            before = co_await show();
        }
        if (!before) co_return before.error();
        if (before->main_pid > 0 && before->active != "deactivating") co_return result<void>();
        if (!before->exists())
            co_return failure{errc::bad_input, name_ + ": systemd says that it is " + before->load};
        // After a few crashes systemd would refuse it. Where nothing failed, this does.
        (void)co_await systemctl("reset-failed");
        // What it waits for may be another member: not for the end of its start-up.
        auto const told = co_await systemctl("start");
        if (!told) co_return told.error();
        for (;;) {
            auto const seen = co_await show();
            if (!seen) co_return seen.error();
            if (seen->main_pid > 0 || seen->active == "active") co_return result<void>();
            if (seen->at_rest() && !seen->has_job)
                co_return failure{errc::remote_error,
                                  name_ + ": it did not start: " + seen->outcome};
            if (net::now() >= end) co_return result<void>();
            co_await net::sleep_for(look_each);
        }
    }

    awaitable<result<void>> kill(milliseconds limit) override {
        auto const until = net::now() + limit;
        auto const seen = co_await show();
        if (!seen) co_return seen.error();
        bool const to_come =
            !seen->restarted_by.empty() || seen->has_job || seen->active == "activating";
        if (!to_come) co_return co_await strike(*seen, until);
        // A stop that was asked for is the one end after which systemd starts nothing; it also
        // takes the place of a start that is still queued.
        auto const stopped = co_await systemctl("stop");
        for (auto now = seen;;) {
            auto const struck = co_await strike(*now, until);
            if (!struck) co_return struck;
            now = co_await show();
            if (!now) co_return now.error();
            if (now->at_rest() && now->main_pid <= 0) co_return result<void>();
            if (net::now() < until) continue;
            if (!stopped) co_return stopped;
            co_return failure{errc::timed_out, name_ + ": it does not stay dead: it is " +
                                                   now->active + " " + now->restarted_by};
        }
    }

    awaitable<result<void>> signal(std::string name) override {
        auto const number = signal_number(name);
        if (number == 0) co_return failure{errc::bad_input, name_ + ": no signal " + name};
        auto const runs = co_await look();
        if (!runs) co_return runs.error();
        if (guard::send_signal(runs->pidfd->get(), number)) co_return result<void>();
        co_return failure{errc::local_error,
                          name_ + ": send SIG" + name + ": " + std::strerror(errno)};
    }

    awaitable<result<std::string>> run(std::vector<std::string> argv, std::string user,
                                       secret password, milliseconds limit) override {
        net::program tool;
        tool.argv = std::move(argv);
        tool.user = std::move(user);
        if (tool.user.empty()) {
            auto const seen = co_await show();
            if (!seen) co_return seen.error();
            tool.user = seen->user.empty() ? "root" : seen->user;
        }
        tool.environment.emplace_back("LC_ALL=C");
        if (!password.empty())
            tool.environment.push_back("PGPASSWORD=" + std::string(password.reveal()));
        auto said = co_await net::read_program(std::move(tool), limit);
        if (!said && said.error().code == errc::local_error)
            co_return failure{errc::remote_error, said.error().doing};
        co_return said;
    }

    awaitable<result<launch>> launched() override {
        auto seen = co_await show();
        if (!seen) co_return seen.error();
        launch how;
        how.argv = expand(std::move(seen->argv), seen->environment);
        how.environment = std::move(seen->environment);
        co_return how;
    }

    awaitable<result<std::string>> read_file(std::string path) override {
        std::ifstream file(path, std::ios::binary);
        if (!file)
            co_return failure{errc::not_found,
                              name_ + ": read " + path + ": " + std::strerror(errno)};
        std::string text(file_size_max + 1, '\0');
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
        if (text.size() > file_size_max)
            co_return failure{errc::too_large, name_ + ": read " + path + ": it is too long"};
        co_return text;
    }

    std::string const& name() const noexcept override { return name_; }

private:
    awaitable<result<unit_state>> show() {
        // systemctl takes it for all that are like it.
        if (unit_.find_first_of("*?[") != std::string::npos)
            co_return failure{errc::bad_input, name_ + ": that is a pattern, and no unit's name"};
        net::program ask;
        ask.argv = show_command(unit_);
        auto const said = co_await net::read_program(std::move(ask), systemd_limit);
        if (!said) co_return failure{said.error().code, name_ + ": " + said.error().doing};
        auto state = read_unit_state(*said);
        if (!state) co_return failure{state.error().code, name_ + ": " + state.error().doing};
        if (state->main_pid <= 0 && state->active == "activating") take_from_file(*state);
        co_return std::move(*state);
    }

    /// Queued, not waited for.
    awaitable<result<void>> systemctl(std::string verb) {
        net::program tell;
        tell.argv = {"systemctl", "--no-block", "--no-ask-password", "--quiet", verb, "--", unit_};
        auto const said = co_await net::read_program(std::move(tell), systemd_limit);
        if (said) co_return result<void>();
        co_return failure{said.error().code, name_ + ": " + verb + " it: " + said.error().doing};
    }

    awaitable<result<unit_state>> settled() {
        auto const end = net::now() + main_process_limit;
        for (;;) {
            auto seen = co_await show();
            if (!seen || seen->main_pid > 0 || seen->active != "activating" ||
                seen->sub == "auto-restart" || net::now() >= end)
                co_return seen;
            co_await net::sleep_for(look_each);
        }
    }

    /// Without a main process there may still be others: that is not "nothing runs".
    failure nothing_to_hold(unit_state const& seen, std::string const& directory) {
        guard::cgroup group;
        if (!directory.empty() && group.open(directory.c_str()) && !group.empty())
            return {errc::conflict, name_ + ": it is " + seen.active +
                                        ", and systemd knows no main process among those of it"};
        return {errc::not_found, name_ + ": it does not run"};
    }

    /// All that is in it now.
    awaitable<result<void>> strike(unit_state seen, instant until) {
        auto const directory = cgroup_directory(seen.control_group);
        auto const who = guard::identify(seen.main_pid, directory, false);
        guard::victim whole;
        auto said = guard::verdict::no_such_process;
        if (seen.main_pid > 0 && who) said = whole.open(*who, {}, ::getpid(), 0);
        if (said == guard::verdict::no_such_process) {
            guard::victim_id rest;
            guard::put_text(rest.cgroup, directory);
            if (!whole.open_rest(rest, ::getpid())) co_return result<void>();
        } else if (said != guard::verdict::done) {
            co_return failure{errc::local_error,
                              name_ + ": kill it: " + std::string(guard::text(said))};
        }
        for (whole.strike(); !whole.gone(); whole.strike()) {
            if (net::now() >= until)
                co_return failure{errc::timed_out, name_ + ": kill it: it has not ended in time"};
            co_await net::sleep_for(strike_each);
        }
        co_return result<void>();
    }

    std::string unit_;
    std::string name_;
};

}  // namespace

std::string cgroup_directory(std::string const& group, std::string const& mounted) {
    if (group.empty()) return {};
    // Version 2 alone; both, where systemd keeps the processes in the second; version 1.
    for (auto const* const hierarchy : {"", "/unified", "/systemd"}) {
        auto directory = mounted + hierarchy + group;
        if (::access((directory + "/cgroup.procs").c_str(), R_OK) == 0) return directory;
    }
    return {};
}

std::unique_ptr<housing> make_unit_housing(std::string unit) {
    return std::make_unique<unit_housing>(std::move(unit));
}

}  // namespace bevmesh::failover
