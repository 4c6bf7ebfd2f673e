#include "failover/driver/driver.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "failover/candidates.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

milliseconds ms(nanoseconds n) {
    return std::chrono::duration_cast<milliseconds>(n);
}

std::string new_incarnation() {
    std::random_device device;
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x", device(), device());
    return text.data();
}

/// For tests of what a takeover leaves behind; nothing in a daemon's usual environment.
std::string crash_wanted() {
    char const* const wanted = std::getenv("BEVMESH_CRASH_AFTER");
    return wanted == nullptr ? std::string() : wanted;
}

/// What the guard keeps: the process' name, a line break, the core's memory.
std::optional<inheritance> inheritance_of(guard::status const& s, instant now) {
    auto const line = s.blob.find('\n');
    if (s.phase != guard::phase::armed || line == std::string::npos || s.deadline <= now)
        return std::nullopt;
    auto memory = decode_memory(std::string_view(s.blob).substr(line + 1));
    if (!memory) return std::nullopt;
    return inheritance{s.deadline, std::move(*memory), s.blob.substr(0, line)};
}

}  // namespace

driver::driver(asio::any_io_executor executor, policy rules, driver_parts parts)
    : executor_(executor),
      rules_(std::move(rules)),
      parts_(std::move(parts)),
      tasks_(executor,
             [this](std::string_view task, std::string const& what) {
                 log_.error(
                     "a task ended by an exception",
                     {{"group", rules_.group}, {"task", std::string(task)}, {"reason", what}});
             }),
      timer_(executor),
      database_lane_(executor),
      guard_lane_(executor),
      crash_after_(crash_wanted()) {}

awaitable<void> driver::run() {
    spawn(begin(), "begin");
    spawn(database_lane_.run(), "database");
    spawn(guard_lane_.run(), "guard's lane");
    co_await tasks_.join();
}

void driver::spawn(awaitable<void> task, char const* name) {
    tasks_.spawn(std::move(task), name);
}

awaitable<void> driver::begin() {
    started first;
    first.incarnation = new_incarnation();
    auto const said = co_await parts_.keeper.hello();
    if (said) {
        guard_id_ = first.guard_id = said->guard_id;
        first.inherited = inheritance_of(*said, net::now());
        if (first.inherited) armed_ = first.inherited->process;
    } else {
        guard_lost(describe(said.error()));
    }
    started_ = true;
    give(std::move(first));
    spawn(keep_time(), "keep time");
    spawn(watch_guard(), "watch the guard");
    spawn(watch_record(), "watch the lease");
}

void driver::give(event e) {
    events_.push_back(std::move(e));
    drain_events();
}

// An action may be answered while the answer to another is being handled: one after the other.
void driver::drain_events() {
    if (draining_ || !started_) return;
    draining_ = true;
    while (!events_.empty()) {
        auto const e = std::move(events_.front());
        events_.pop_front();
        auto const before = state_.at;
        auto const record = state_.seen.record;
        auto made = step(std::move(state_), e, net::now(), rules_);
        state_ = std::move(made.next);
        if (!std::holds_alternative<tick>(e)) log_.debug(to_string(e), {{"group", rules_.group}});
        if (state_.at != before) stage_changed(before, record);
        for (auto& a : made.actions)
            act(std::move(a));
    }
    draining_ = false;
    timer_.set(next_wake(state_, rules_));
    if (parts_.on_step) parts_.on_step();
}

// A crash that a test wants comes when the stage is certainly over, and nothing that this set off
// has begun.
void driver::stage_changed(stage from, std::optional<lease_record> const& before) {
    if (!crash_after_.empty() && crash_after_ == name(from)) ::raise(SIGKILL);
    counts_.changed(from, state_.at, before, rules_.self, net::now());
    parts_.history.note(weight::info,
                        std::string(name(from)) + " -> " + std::string(name(state_.at)));
}

awaitable<void> driver::keep_time() {
    for (;;) {
        co_await timer_.wait();
        if (next_wake(state_, rules_) <= net::now() || state_.wake <= net::now())
            give(tick{});
        else
            timer_.set(state_.wake);
    }
}

awaitable<void> driver::watch_record() {
    auto watching = parts_.store.watch([this](record_seen seen) { give(std::move(seen)); });
    co_await std::move(watching);
}

// A guard that dies must be noticed while nothing is asked of it; one that comes is greeted.
awaitable<void> driver::watch_guard() {
    auto const pause = std::max(ms(rules_.timing.fence) / 2, milliseconds(50));
    for (;;) {
        co_await net::sleep_for(pause);
        auto& keeper = parts_.keeper;
        bool const greeting = !keeper.connected();
        auto asking = greeting ? keeper.hello() : keeper.ask();
        auto const said = co_await std::move(asking);
        if (!said) {
            guard_lost(describe(said.error()));
        } else if (said->guard_id != guard_id_ || greeting) {
            guard_id_ = said->guard_id;
            guard_trouble_.clear();
            give(guard_seen{guard_id_});
        }
    }
}

void driver::guard_lost(std::string const& why) {
    parts_.keeper.close();
    if (guard_trouble_ != why) {
        guard_trouble_ = why;
        parts_.history.note(weight::warning, "the guard does not answer: " + why);
    }
    if (guard_id_.empty()) return;
    guard_id_.clear();
    give(guard_seen{});
}

member_report driver::report() const {
    return own_report(state_, rules_, net::now());
}

awaitable<result<promise_reply>> driver::promise(std::string from, promise_request asked) {
    promise_key const key{from, asked.round};
    auto const mine = std::make_shared<waiting>(waiting{asio::steady_timer(executor_), {}});
    mine->timer.expires_after(rules_.timing.request);
    promises_[key] = mine;
    give(promise_asked{std::move(from), asked.round, asked.epoch});
    if (!mine->reply) {
        boost::system::error_code woken;
        co_await mine->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (auto const found = promises_.find(key); found != promises_.end() && found->second == mine)
        promises_.erase(found);
    if (mine->reply) co_return *mine->reply;
    co_return failure{errc::timed_out, "promise: no decision in time"};
}

void driver::answer(answer_promise const& a) {
    auto const found = promises_.find({a.to, a.round});
    if (found == promises_.end()) return;
    found->second->reply = promise_reply{a.granted, a.why};
    found->second->timer.cancel();
}

awaitable<result<void>> driver::end_stream() {
    auto const done = co_await parts_.database.stop_following(0);
    if (done.result == outcome::done) co_return result<void>();
    co_return failure{errc::remote_error, "end the stream: " + done.detail};
}

// By the pidfd: within a millisecond of the end, without asking anybody.
awaitable<void> driver::watch_process(std::string process) {
    auto const runs = co_await parts_.database.identify(process);
    if (!runs) {
        // Asked again with the next probe.
        if (watched_ == process) watched_.clear();
        co_return;
    }
    co_await guard::process_end(runs->pidfd->get());
    if (watched_ == process) watched_.clear();
    log_.info("the database's process ended", {{"group", rules_.group}, {"process", process}});
    give(database_died{process});
}

std::string driver::memory_blob(std::string const& process, lease_memory const& m) const {
    return process + "\n" + encode(m);
}

}  // namespace bevmesh::failover
