#include "failover/guard/caller.hpp"

#include <algorithm>
#include <poll.h>
#include <unistd.h>

#include "failover/guard/socket.hpp"
#include "failover/guard/state_file.hpp"
#include "failover/guard/victim.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::failover::guard {
namespace {

/// False when nothing came in time.
bool wait_readable(int fd, instant until) {
    for (;;) {
        auto const left = std::chrono::duration_cast<milliseconds>(until - net::now()).count();
        pollfd one{fd, POLLIN, 0};
        auto const n = ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
        if (n == 1) return true;
        if (left <= 0) return false;
    }
}

bool lives(std::int32_t pid, std::uint64_t started) {
    if (pid <= 0) return false;
    auto const process = open_process(pid);
    auto const ticks = start_ticks(pid);
    return process && ticks && *ticks == started && !has_ended(process.get());
}

}  // namespace

result<caller> caller::connect(std::string const& socket) {
    auto made = connect_to(socket);
    if (!made) return made.error();
    return caller(std::move(*made));
}

result<answer> caller::ask(request what, milliseconds limit, int pidfd) {
    auto const until = net::now() + limit;
    what.number = ++number_;
    if (!connection_ || !send(connection_.get(), wire(what), pidfd)) {
        connection_.reset();
        return failure{errc::unreachable, "ask the guard: it closed the connection"};
    }
    answer got;
    auto bytes = std::span(reinterpret_cast<char*>(&got), sizeof got);
    for (;;) {
        if (!wait_readable(connection_.get(), until)) {
            connection_.reset();
            return failure{errc::timed_out, "ask the guard: no answer in time"};
        }
        auto const one = receive(connection_.get(), bytes);
        if (one.what == received::nothing_yet) continue;
        if (one.what == received::closed) {
            connection_.reset();
            return failure{errc::truncated, "ask the guard: it closed the connection"};
        }
        answer read_into;
        if (!read(bytes.first(one.size), read_into)) {
            connection_.reset();
            return failure{errc::bad_answer, "ask the guard: an answer of another version"};
        }
        if (read_into.number == what.number) return read_into;
    }
}

result<victim_id> identify(std::int32_t pid, std::string const& cgroup, bool alone) {
    victim_id who;
    who.pid = pid;
    who.alone = alone ? 1 : 0;
    if (cgroup.size() >= who.cgroup.size())
        return failure{errc::bad_input, "cgroup " + cgroup + ": the path is too long"};
    put_text(who.cgroup, cgroup);
    auto const process = open_process(pid);
    auto const ticks = start_ticks(pid);
    if (!process || has_ended(process.get()))
        return failure{errc::not_found, "process " + std::to_string(pid) + ": there is none"};
    who.start_ticks = ticks.value_or(0);
    return who;
}

result<bool> fence_from_file(std::string const& path, milliseconds limit, bool spare_daemon) {
    auto const left = state_file::look(path);
    if (!left && left.error().code == errc::not_found) return false;
    if (!left) return left.error();
    if (left->phase != phase::armed && left->phase != phase::killing) return false;
    if (spare_daemon && lives(left->daemon_pid, left->daemon_start_ticks)) return false;
    victim held;
    auto const opened = held.open(left->victim, {}, ::getpid(), 0);
    if (opened != verdict::done && !held.open_rest(left->victim, ::getpid())) return false;
    auto const until = net::now() + limit;
    for (held.strike(); !held.gone(); held.strike()) {
        if (net::now() >= until)
            return failure{errc::timed_out, "kill process " + std::to_string(left->victim.pid) +
                                                ": it has not ended in time"};
        pollfd one{held.pidfd(), POLLIN, 0};
        ::poll(&one, held.main_process_ended() ? 0 : 1, 1);
    }
    return true;
}

}  // namespace bevmesh::failover::guard
