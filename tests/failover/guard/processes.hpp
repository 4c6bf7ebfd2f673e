// Real processes for the guard's tests: what it kills, what it serves, and the guard itself.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

#include "failover/guard/caller.hpp"
#include "failover/guard/server.hpp"

namespace bevmesh::testing {

/// A forked process; killed and reaped with the object.
class child {
public:
    /// `namespace_init`: as init of a PID namespace of its own.
    explicit child(std::function<void()> const& body, bool namespace_init = false);
    /// With this very pid, which must be free.
    child(std::function<void()> const& body, pid_t pid);
    ~child();
    child(child const&) = delete;
    child& operator=(child const&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;
    /// Ended within `limit`, without reaping it.
    [[nodiscard]] bool ended(milliseconds limit) const;
    [[nodiscard]] bool runs() const { return !ended(milliseconds(0)); }
    void reap();

private:
    pid_t pid_ = -1;
    bool reaped_ = false;
};

/// Never returns.
void sleep_for_ever();

/// A directory that goes with the object.
class scratch {
public:
    scratch();
    ~scratch();
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;
    [[nodiscard]] std::string path(std::string const& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

[[nodiscard]] failover::guard::server_options options_in(scratch const& where);
/// Runs a guard until it is killed.
[[nodiscard]] std::function<void()> guard_with(failover::guard::server_options options);
/// Connected, once the guard listens.
[[nodiscard]] failover::guard::caller call(scratch const& where);

[[nodiscard]] failover::guard::request ask_for(failover::guard::verb what);
[[nodiscard]] failover::guard::request arm_on(failover::guard::victim_id const& who,
                                              milliseconds from_now,
                                              milliseconds margin = milliseconds(0));
[[nodiscard]] failover::guard::request extend_to(instant deadline,
                                                 milliseconds margin = milliseconds(0));
/// The answer, which must come within five seconds.
failover::guard::answer exchange(failover::guard::caller& with,
                                 failover::guard::request const& what, int pidfd = -1);
[[nodiscard]] failover::guard::victim_id identity(pid_t pid, std::string const& cgroup = {},
                                                  bool alone = true);
/// Arms; the answer, which is `done`. A test is never off the CPU for as long as `term`.
failover::guard::answer hold(failover::guard::caller& with, failover::guard::victim_id const& who,
                             milliseconds term = seconds(60), int pidfd = -1);
/// Moves the deadline of what is held to `from_now`. One that is past by then is obeyed, where an
/// arming would be refused.
void shorten(failover::guard::caller& with, milliseconds from_now);
/// Arms for a term that a test may be off the CPU for: until it is granted. What was asked then.
[[nodiscard]] failover::guard::request arm_briefly(failover::guard::caller& with,
                                                   failover::guard::victim_id const& who,
                                                   milliseconds term);
/// Asks for the status until the victim is dead; fails after five seconds.
failover::guard::answer until_dead(failover::guard::caller& with);
void wait_until(instant when);

}  // namespace bevmesh::testing
