// Units as a whole, in the cgroups that this host has: version 1, version 2, or both.
#include "failover/guard/cgroup.hpp"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/catch.hpp"
#include "tests/failover/guard/processes.hpp"

namespace bevmesh::failover::guard {
namespace {

using namespace testing;

/// The hierarchies of this host in which a test may make a group.
std::vector<std::string> hierarchies() {
    std::vector<std::string> found;
    for (std::string const root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
                                   "/sys/fs/cgroup/pids", "/sys/fs/cgroup/systemd"})
        if (::access((root + "/cgroup.procs").c_str(), W_OK) == 0) found.push_back(root);
    return found;
}

bool write_to(std::string const& path, std::string const& text) {
    auto* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return false;
    std::fputs(text.c_str(), file);
    return std::fclose(file) == 0;
}

/// A directory below a hierarchy, gone with the object; whatever is still in it is killed.
class group {
public:
    explicit group(std::string path) : path_(std::move(path)) {
        REQUIRE(::mkdir(path_.c_str(), 0755) == 0);
    }
    ~group() {
        cgroup all;
        for (int i = 0; i < 1000 && ::rmdir(path_.c_str()) != 0; ++i) {
            if (all.open(path_.c_str())) all.strike();
            ::poll(nullptr, 0, 1);
        }
    }
    group(group const&) = delete;
    group& operator=(group const&) = delete;
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    [[nodiscard]] bool take(pid_t pid) const {
        return write_to(path_ + "/cgroup.procs", std::to_string(pid));
    }

private:
    std::string path_;
};

std::string name_of(std::string const& root) {
    return root + "/bevmesh-test-" + std::to_string(::getpid());
}

/// Forks without end, at most `width` at a time: what a pass of signals can miss.
[[noreturn]] void breed(int width) {
    for (;;) {
        if (::fork() == 0) {
            if (--width < 0) sleep_for_ever();
            continue;
        }
        if (--width < 0) sleep_for_ever();
    }
}

TEST_CASE("A unit dies whole: postmaster, backends, what forks meanwhile and the groups below") {
    REQUIRE_FALSE(hierarchies().empty());
    for (auto const& root : hierarchies()) {
        INFO(root);
        group const unit(name_of(root));
        group const below(unit.path() + "/below");
        int alive[2];
        REQUIRE(::pipe2(alive, O_CLOEXEC) == 0);
        child const postmaster([&] {
            if (!unit.take(::getpid())) ::_exit(1);
            for (int i = 0; i < 100; ++i)
                if (::fork() == 0) sleep_for_ever();
            if (::fork() == 0) {
                if (!below.take(::getpid())) ::_exit(1);
                ::setsid();
                breed(6);
            }
            if (::write(alive[1], "x", 1) != 1) ::_exit(1);
            sleep_for_ever();
        });
        ::close(alive[1]);
        char ready = 0;
        REQUIRE(::read(alive[0], &ready, 1) == 1);
        scratch const where;
        child const guard_process(guard_with(options_in(where)));
        auto daemon = call(where);
        REQUIRE(exchange(daemon, ask_for(verb::hello)).said == verdict::done);
        auto const who = identity(postmaster.pid(), unit.path(), false);
        hold(daemon, who);
        shorten(daemon, milliseconds(50));
        until_dead(daemon);
        pollfd all{alive[0], POLLIN, 0};
        CHECK(::poll(&all, 1, 0) == 1);
        CHECK((all.revents & POLLHUP) != 0);
        ::close(alive[0]);
    }
}

TEST_CASE("A dead postmaster is no dead database while a backend of it runs") {
    for (auto const& root : hierarchies()) {
        INFO(root);
        group const unit(name_of(root));
        int ready[2];
        REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        child const postmaster([&] {
            if (!unit.take(::getpid())) ::_exit(1);
            if (::fork() == 0) sleep_for_ever();
            if (::write(ready[1], "x", 1) != 1) ::_exit(1);
            sleep_for_ever();
        });
        char byte = 0;
        REQUIRE(::read(ready[0], &byte, 1) == 1);
        ::close(ready[0]);
        ::close(ready[1]);
        scratch const where;
        auto first = std::make_unique<child>(guard_with(options_in(where)));
        {
            auto daemon = call(where);
            REQUIRE(exchange(daemon, ask_for(verb::hello)).said == verdict::done);
            auto const who = identity(postmaster.pid(), unit.path(), false);
            hold(daemon, who);
            postmaster.signal(SIGKILL);
            REQUIRE(postmaster.ended(seconds(5)));
            CHECK(exchange(daemon, ask_for(verb::status)).phase == phase::armed);
        }
        // Another guard, which can only find the backend by the group.
        first = nullptr;
        first = std::make_unique<child>(guard_with(options_in(where)));
        auto daemon = call(where);
        CHECK(exchange(daemon, ask_for(verb::status)).phase == phase::armed);
        REQUIRE(exchange(daemon, ask_for(verb::hello)).said == verdict::done);
        shorten(daemon, milliseconds(0));
        CHECK(until_dead(daemon).cause == death::deadline);
        cgroup left;
        REQUIRE(left.open(unit.path().c_str()));
        CHECK(left.empty());
    }
}

TEST_CASE("A group that holds the guard, or a hierarchy's root, is refused") {
    for (auto const& root : hierarchies()) {
        INFO(root);
        group const unit(name_of(root));
        scratch const where;
        child const database(sleep_for_ever);
        child const guard_process(guard_with(options_in(where)));
        REQUIRE(unit.take(database.pid()));
        auto daemon = call(where);
        REQUIRE(exchange(daemon, ask_for(verb::hello)).said == verdict::done);
        auto const arm = [&](std::string const& path) {
            return exchange(daemon, arm_on(identity(database.pid(), path, false), seconds(5))).said;
        };
        CHECK(arm(root) == verdict::no_such_cgroup);
        REQUIRE(unit.take(guard_process.pid()));
        CHECK(arm(unit.path()) == verdict::forbidden_victim);
    }
}

TEST_CASE("A container that is paused by the freezer of version 1 dies too") {
    std::string const root = "/sys/fs/cgroup/freezer";
    if (::access((root + "/cgroup.procs").c_str(), W_OK) != 0) {
        // A host of version 2 alone, where SIGKILL reaches what is frozen.
        SUCCEED();
        return;
    }
    group const unit(name_of(root));
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    REQUIRE(unit.take(database.pid()));
    auto daemon = call(where);
    REQUIRE(exchange(daemon, ask_for(verb::hello)).said == verdict::done);
    hold(daemon, identity(database.pid()));
    REQUIRE(write_to(unit.path() + "/freezer.state", "FROZEN"));
    shorten(daemon, milliseconds(50));
    until_dead(daemon);
    CHECK(database.ended(milliseconds(0)));
}

}  // namespace
}  // namespace bevmesh::failover::guard
