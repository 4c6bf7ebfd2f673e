#include "tests/failover/guard/processes.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <linux/sched.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"

namespace bevmesh::testing {

namespace guard = failover::guard;

namespace {

pid_t start(std::function<void()> const& body, std::uint64_t flags, pid_t wanted) {
    clone_args how{};
    how.flags = flags;
    how.exit_signal = SIGCHLD;
    if (wanted != 0) {
        how.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
        how.set_tid_size = 1;
    }
    auto const pid = static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
    if (pid == 0) {
        body();
        ::_exit(0);
    }
    return pid;
}

}  // namespace

child::child(std::function<void()> const& body, bool namespace_init)
    : pid_(start(body, namespace_init ? CLONE_NEWPID : 0, 0)) {
    REQUIRE(pid_ > 0);
}

child::child(std::function<void()> const& body, pid_t pid) : pid_(start(body, 0, pid)) {
    REQUIRE(pid_ == pid);
}

child::~child() {
    signal(SIGKILL);
    reap();
}

void child::signal(int number) const {
    if (!reaped_) ::kill(pid_, number);
}

bool child::ended(milliseconds limit) const {
    if (reaped_) return true;
    auto const held = guard::open_process(pid_);
    pollfd one{held.get(), POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(limit.count())) == 1;
}

void child::reap() {
    if (!reaped_ && ::waitpid(pid_, nullptr, 0) == pid_) reaped_ = true;
}

void sleep_for_ever() {
    for (;;)
        ::pause();
}

scratch::scratch() {
    std::string made = std::filesystem::temp_directory_path() / "bevmesh-guard-XXXXXX";
    REQUIRE(::mkdtemp(made.data()) != nullptr);
    path_ = made;
}

scratch::~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

guard::server_options options_in(scratch const& where) {
    guard::server_options options;
    options.group = "redis";
    options.socket = where.path("guard.sock");
    options.state_file = where.path("guard.state");
    return options;
}

std::function<void()> guard_with(guard::server_options options) {
    return [options = std::move(options)] {
        auto const made = guard::make_server(options);
        if (!made) std::fprintf(stderr, "%s\n", describe(made.error()).c_str());
        if (made) (*made)->run();
        ::_exit(1);
    };
}

guard::caller call(scratch const& where) {
    auto const limit = net::now() + seconds(5);
    for (;;) {
        auto made = guard::caller::connect(where.path("guard.sock"));
        if (made) return std::move(*made);
        INFO(describe(made.error()));
        REQUIRE(net::now() < limit);
        ::poll(nullptr, 0, 1);
    }
}

guard::request ask_for(guard::verb what) {
    guard::request r;
    r.what = what;
    return r;
}

guard::request arm_on(guard::victim_id const& who, milliseconds from_now, milliseconds margin) {
    auto r = extend_to(net::now() + from_now, margin);
    r.what = guard::verb::arm;
    r.victim = who;
    return r;
}

guard::request extend_to(instant deadline, milliseconds margin) {
    auto r = ask_for(guard::verb::extend);
    r.term = {guard::to_wire(deadline), nanoseconds(margin).count()};
    return r;
}

guard::answer exchange(guard::caller& with, guard::request const& what, int pidfd) {
    auto const got = with.ask(what, seconds(5), pidfd);
    INFO((got.has_error() ? describe(got.error()) : std::string()));
    REQUIRE(got.has_value());
    return *got;
}

guard::victim_id identity(pid_t pid, std::string const& cgroup, bool alone) {
    auto const found = guard::identify(pid, cgroup, alone);
    REQUIRE(found.has_value());
    return *found;
}

guard::answer hold(guard::caller& with, guard::victim_id const& who, milliseconds term, int pidfd) {
    auto const got = exchange(with, arm_on(who, term), pidfd);
    REQUIRE(got.said == guard::verdict::done);
    return got;
}

void shorten(guard::caller& with, milliseconds from_now) {
    auto r = extend_to(net::now() + from_now);
    r.shorten = 1;
    exchange(with, r);
}

guard::request arm_briefly(guard::caller& with, guard::victim_id const& who, milliseconds term) {
    auto const limit = net::now() + seconds(5);
    for (;;) {
        auto const asked = arm_on(who, term);
        auto const said = exchange(with, asked).said;
        if (said == guard::verdict::done) return asked;
        REQUIRE(said == guard::verdict::out_of_range);
        REQUIRE(net::now() < limit);
    }
}

guard::answer until_dead(guard::caller& with) {
    auto const limit = net::now() + seconds(5);
    for (;;) {
        auto const now = exchange(with, ask_for(guard::verb::status));
        if (now.phase == guard::phase::dead) return now;
        REQUIRE(net::now() < limit);
        ::poll(nullptr, 0, 2);
    }
}

void wait_until(instant when) {
    while (net::now() < when)
        ::poll(nullptr, 0, 1);
}

}  // namespace bevmesh::testing
