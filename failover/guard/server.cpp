#include "failover/guard/server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "failover/guard/custody.hpp"
#include "failover/guard/footing.hpp"
#include "failover/guard/socket.hpp"
#include "failover/guard/state_file.hpp"
#include "failover/guard/victim.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::failover::guard {
namespace {

constexpr std::size_t connections_max = 8;
/// Between two looks at what was struck, or at a cgroup that outlived its main process.
constexpr nanoseconds busy_interval = milliseconds(1);

std::string random_id() {
    std::array<unsigned char, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    std::string text;
    for (auto const b : bytes) {
        std::array<char, 3> hex{};
        std::snprintf(hex.data(), hex.size(), "%02x", static_cast<unsigned>(b));
        text += hex.data();
    }
    return text;
}

/// A line on the standard error if somebody takes it at once: a log that hangs must not stop a
/// guard.
void say(char const* group, char const* what, int pid) noexcept {
    std::array<char, 256> line{};
    auto const size =
        std::snprintf(line.data(), line.size(), "guard %s: %s pid=%d\n", group, what, pid);
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    if (size <= 0 || ::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
    auto const length = std::min(static_cast<std::size_t>(size), line.size() - 1);
    if (::write(STDERR_FILENO, line.data(), length) < 0) return;
}

struct connection {
    descriptor socket;
    peer_id peer;
    bool daemon = false;
    std::uint64_t since = 0;  // order of arrival
};

class loop final : public server {
public:
    explicit loop(server_options options) : options_(std::move(options)) {}

    result<void> prepare();
    result<void> run() override;
    std::string const& id() const noexcept override { return id_; }

private:
    void take_over();
    void look_at_victim() noexcept;
    [[nodiscard]] instant next_wake(instant now) const noexcept;
    void set_timer(instant when) noexcept;
    void accept_one() noexcept;
    void serve(connection& from) noexcept;
    [[nodiscard]] verdict carry_out(connection& from, descriptor passed);
    [[nodiscard]] verdict arm(connection const& from, descriptor passed);
    void welcome(connection& from) noexcept;
    void keep_blob_of(request const& r) noexcept;
    void report(verdict said) noexcept;
    void save() noexcept;

    server_options options_;
    std::string id_;
    state_file file_;
    descriptor listener_;
    descriptor timer_;
    custody held_;
    victim victim_;
    kernel_watchdog watchdog_;
    instant feed_at_{};
    std::array<connection, connections_max> connections_;
    std::uint64_t arrivals_ = 0;
    request request_;
    answer answer_;
    saved_state saved_;
};

result<void> loop::prepare() {
    if (options_.group.empty() || options_.group.size() >= sizeof answer_.group)
        return failure{errc::bad_input, "guard: a group's name has 1 to 63 bytes"};
    id_ = random_id();
    if (id_.empty()) return failure{errc::local_error, "guard: no random bytes"};
    auto file = state_file::open(options_.state_file);
    if (!file) return file.error();
    file_ = std::move(*file);
    timer_ = descriptor(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer_)
        return failure{errc::local_error, std::string("guard: timer: ") + std::strerror(errno)};
    watchdog_ = kernel_watchdog(options_.watchdog, options_.watchdog_timeout);
    put_text(answer_.guard_id, id_);
    put_text(answer_.group, options_.group);
    answer_.guard_pid = ::getpid();
    take_over();
    auto listener = open_listener(options_.socket, options_.user);
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    auto const locked = lock_memory();
    if (!locked) return locked.error();
    answer_.locked_bytes = *locked;
    answer_.realtime = raise_priority() ? 1 : 0;
    return {};
}

/// A guard that died left its state: the process is held again if it is still the same one.
void loop::take_over() {
    auto const left = file_.load();
    if (!left) return;
    saved_ = *left;
    answer_.blob_size = left->blob_size;
    answer_.blob = left->blob;
    if (left->phase != phase::armed && left->phase != phase::killing) return;
    answer_.restored = 1;
    held_.restore(left->phase, left->victim, left->term);
    auto const opened = victim_.open(left->victim, {}, ::getpid(), 0);
    if (opened != verdict::done && !victim_.open_rest(left->victim, ::getpid()))
        held_.died(net::now());
    else if (!watchdog_.start())
        say(options_.group.c_str(), "no watchdog: cannot open the device", left->victim.pid);
    save();
}

result<void> loop::run() {
    for (;;) {
        look_at_victim();
        set_timer(next_wake(net::now()));
        std::array<pollfd, connections_max + 4> polled{};
        polled[0] = {timer_.get(), POLLIN, 0};
        polled[1] = {listener_.get(), POLLIN, 0};
        polled[2] = {options_.stop, POLLIN, 0};
        polled[3] = {victim_.main_process_ended() ? -1 : victim_.pidfd(), POLLIN, 0};
        for (std::size_t i = 0; i < connections_max; ++i)
            polled[i + 4] = {connections_[i].socket.get(), POLLIN, 0};
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR)
            return failure{errc::local_error, std::string("guard: poll: ") + std::strerror(errno)};
        look_at_victim();  // before anything that was asked: what came late is late
        if (polled[2].revents != 0) return {};
        if (polled[1].revents != 0) accept_one();
        for (std::size_t i = 0; i < connections_max; ++i)
            if (polled[i + 4].revents != 0 && connections_[i].socket) serve(connections_[i]);
    }
}

void loop::look_at_victim() noexcept {
    if (!held_.holds_a_process()) return;
    auto const before = held_.phase();
    auto const now = net::now();
    if (held_.due(now))
        answer_.late_max_ns = std::max(answer_.late_max_ns, (now - held_.kill_at()).count());
    if (held_.phase() == phase::killing) {
        victim_.strike();
        if (held_.struck_at() == instant()) {
            held_.struck(net::now());
            say(options_.group.c_str(),
                held_.cause() == death::asked ? "fenced, as asked" : "deadline passed, killed",
                held_.victim().pid);
        }
    }
    if (victim_.gone()) {
        held_.died(net::now());
        victim_.close();
        watchdog_.stop();
        say(options_.group.c_str(), "dead", held_.victim().pid);
    } else if (watchdog_.running() && now >= feed_at_) {
        watchdog_.feed();
        feed_at_ = now + options_.watchdog_timeout / 3;
    }
    if (held_.phase() != before) save();
}

instant loop::next_wake(instant now) const noexcept {
    auto when = instant::max();
    if (held_.phase() == phase::armed) when = held_.kill_at();
    if (held_.phase() == phase::killing ||
        (held_.holds_a_process() && victim_.main_process_ended()))
        when = std::min(when, now + busy_interval);
    if (watchdog_.running()) when = std::min(when, feed_at_);
    return when;
}

void loop::set_timer(instant when) noexcept {
    itimerspec at{};
    if (when != instant::max()) {
        auto const ns = std::max<std::int64_t>(to_wire(when), 1);  // zero would disarm
        at.it_value = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

void loop::accept_one() noexcept {
    descriptor made(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!made) return;
    auto const peer = peer_of(made.get());
    if (!peer || (peer->uid != 0 && peer->uid != options_.user)) return;
    // A free place, else that of the longest guest; never the daemon's.
    auto const* const best = std::min_element(
        connections_.begin(), connections_.end(), [](auto const& a, auto const& b) {
            auto const rank = [](connection const& c) {
                return std::pair(c.daemon, c.socket ? c.since : 0);
            };
            return rank(a) < rank(b);
        });
    auto& place = connections_[static_cast<std::size_t>(best - connections_.begin())];
    place = connection{std::move(made), *peer, false, ++arrivals_};
}

void loop::serve(connection& from) noexcept {
    auto* const bytes = reinterpret_cast<char*>(&request_);
    auto got = receive(from.socket.get(), std::span(bytes, sizeof request_));
    if (got.what == received::nothing_yet) return;
    if (got.what == received::closed) {
        from = connection();
        return;
    }
    request copy = request_;
    auto said = verdict::bad_message;
    auto const* const raw = reinterpret_cast<char const*>(&copy);
    if (read(std::span(raw, got.size), request_)) said = carry_out(from, std::move(got.passed));
    look_at_victim();  // a fence strikes before it is answered
    report(said);
    if (!send(from.socket.get(), wire(answer_))) from = connection();
}

verdict loop::carry_out(connection& from, descriptor passed) {
    if (request_.what == verb::status) return verdict::done;
    if (request_.what == verb::fence) {
        auto const said = held_.fence(net::now());
        save();
        return said;
    }
    if (request_.what == verb::hello) {
        welcome(from);
        return verdict::done;
    }
    if (!from.daemon) return verdict::not_the_daemon;
    auto said = verdict::bad_message;
    if (request_.what == verb::arm) said = arm(from, std::move(passed));
    if (request_.what == verb::extend)
        said = held_.extend(net::now(), request_.term, request_.shorten != 0);
    if (request_.what == verb::forget) {
        said = held_.forget(net::now());
        if (said == verdict::done) {
            victim_.close();
            watchdog_.stop();
        }
    }
    if (said == verdict::done) keep_blob_of(request_);
    save();
    return said;
}

verdict loop::arm(connection const& from, descriptor passed) {
    // A daemon in a sandbox does not see the process in /proc; the handle that it passes says which
    // one it means as well.
    auto& who = request_.victim;
    if (who.start_ticks == 0 && passed && pid_of(passed.get()) == who.pid)
        who.start_ticks = start_ticks(who.pid).value_or(0);
    if (who.start_ticks == 0) return verdict::no_such_process;
    auto const allowed = held_.may_arm(net::now(), request_.victim, request_.term);
    if (allowed != verdict::done) return allowed;
    if (held_.phase() != phase::armed) {
        victim opened;
        auto const said =
            opened.open(request_.victim, std::move(passed), ::getpid(), from.peer.pid);
        if (said != verdict::done) return said;
        if (!watchdog_.start()) return verdict::no_watchdog;
        victim_ = std::move(opened);
    }
    held_.arm(request_.victim, request_.term);
    return verdict::done;
}

void loop::welcome(connection& from) noexcept {
    for (auto& other : connections_)
        if (other.daemon && &other != &from) other = connection();
    from.daemon = true;
    saved_.daemon_pid = from.peer.pid;
    saved_.daemon_start_ticks = start_ticks(from.peer.pid).value_or(0);
    save();
}

void loop::keep_blob_of(request const& r) noexcept {
    if (r.blob_size == keep_blob) return;
    answer_.blob_size = r.blob_size;
    answer_.blob = r.blob;
}

void loop::report(verdict said) noexcept {
    answer_.said = said;
    answer_.number = request_.number;
    answer_.phase = held_.phase();
    answer_.cause = held_.cause();
    answer_.now_ns = to_wire(net::now());
    answer_.victim = held_.victim();
    answer_.term = held_.term();
    answer_.struck_ns = to_wire(held_.struck_at());
    answer_.dead_ns = to_wire(held_.dead_at());
}

void loop::save() noexcept {
    saved_.phase = held_.phase();
    saved_.victim = held_.victim();
    saved_.term = held_.term();
    saved_.blob_size = answer_.blob_size;
    saved_.blob = answer_.blob;
    file_.save(saved_);
}

}  // namespace

result<std::unique_ptr<server>> make_server(server_options options) {
    auto made = std::make_unique<loop>(std::move(options));
    auto const ready = made->prepare();
    if (!ready) return ready.error();
    return std::unique_ptr<server>(std::move(made));
}

}  // namespace bevmesh::failover::guard
