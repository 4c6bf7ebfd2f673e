// A world for one driver that does as it is told at once, and writes down what it was told.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "failover/driver/driver.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover::testing {

using said = std::vector<std::string>;

class fake_store final : public lease_store {
public:
    fake_store(boost::asio::any_io_executor executor, said& log) : changed_(executor), log_(log) {
        changed_.expires_at(net::steady_point::max());
    }
    awaitable<std::variant<record_seen, read_failed>> read(std::uint64_t op,
                                                           milliseconds) override {
        if (silent_) co_return read_failed{op};
        record_seen seen;
        seen.op = op;
        seen.index = index_;
        seen.record = record_;
        co_return seen;
    }
    awaitable<write_answered> write(write_record what, milliseconds) override {
        write_answered a;
        a.write_id = what.record.write_id;
        if (silent_) co_return a;
        a.result = what.base == index_ ? outcome::done : outcome::refused;
        if (what.endpoint == endpoint_change::publish) log_.push_back("publish");
        if (what.endpoint == endpoint_change::remove) log_.push_back("withdraw");
        if (a.result == outcome::done) {
            if (!record_ || record_->state != what.record.state || index_ == 0)
                log_.push_back("write " + std::string(name(what.record.state)));
            record_ = what.record;
            a.index = ++index_;
            changed_.cancel();
        }
        co_return a;
    }
    awaitable<void> watch(listener on_change) override {
        for (;;) {
            record_seen seen;
            seen.index = index_;
            seen.record = record_;
            on_change(std::move(seen));
            boost::system::error_code woken;
            co_await changed_.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable, woken));
            auto const state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        }
    }
    std::optional<lease_record> record_;
    std::uint64_t index_ = 0;
    bool silent_ = false;  // Consul is gone

private:
    boost::asio::steady_timer changed_;
    said& log_;
};

class fake_guard final : public guard::client {
public:
    explicit fake_guard(said& log) : log_(log) { state_.guard_id = "guard-1"; }
    awaitable<result<guard::status>> hello() override { co_return answer(); }
    awaitable<result<guard::status>> arm(guard::victim_id, int, guard::lease_end until,
                                         std::optional<std::string> blob) override {
        log_.push_back("arm");
        state_.phase = guard::phase::armed;
        state_.deadline = until.valid_until;
        state_.blob = blob.value_or(state_.blob);
        co_return answer();
    }
    awaitable<result<guard::status>> extend(guard::lease_end until,
                                            std::optional<std::string> blob) override {
        state_.deadline = until.valid_until;
        state_.blob = blob.value_or(state_.blob);
        co_return answer();
    }
    awaitable<result<guard::status>> forget(std::optional<std::string>) override {
        log_.push_back("forget");
        state_.phase = guard::phase::idle;
        co_return answer();
    }
    awaitable<result<guard::status>> fence(milliseconds) override { co_return answer(); }
    awaitable<result<guard::status>> ask() override { co_return answer(); }
    bool connected() const noexcept override { return alive_; }
    void close() noexcept override {}

    [[nodiscard]] result<guard::status> answer() const {
        if (alive_) return state_;
        return failure{errc::unreachable, "no guard"};
    }
    bool alive_ = true;
    guard::status state_;

private:
    said& log_;
};

class fake_housing final : public housing {
public:
    awaitable<result<running>> look() override { co_return running{}; }
    awaitable<result<void>> start() override { co_return result<void>(); }
    awaitable<result<void>> kill(milliseconds) override { co_return result<void>(); }
    awaitable<result<void>> signal(std::string) override { co_return result<void>(); }
    awaitable<result<std::string>> run(std::vector<std::string>, std::string, secret,
                                       milliseconds) override {
        co_return std::string();
    }
    awaitable<result<launch>> launched() override { co_return launch(); }
    awaitable<result<std::string>> read_file(std::string) override { co_return std::string(); }
    std::string const& name() const noexcept override { return name_; }

private:
    std::string name_ = "container redis";
};

/// A database that is whatever it was told to be last.
class fake_database final : public database_port {
public:
    explicit fake_database(said& log) : log_(log) {
        facts_.process = "run-1";
        facts_.history.id = "line-1";
        facts_.role = role::replica;
        facts_.condition = condition::ok;
        facts_.at = 100;
    }
    awaitable<probed> look(probe what) override {
        probed p;
        p.op = what.op;
        p.asked = net::now();
        p.facts = facts_;
        co_return p;
    }
    /// Of this test itself: it lives as long as it is waited for.
    awaitable<result<running>> identify(std::string) override {
        running r;
        r.pidfd = std::make_shared<descriptor>(guard::open_process(::getpid()));
        co_return r;
    }
    awaitable<carried_out> perform(start_database what) override { return done("start", what.op); }
    awaitable<carried_out> perform(promote what) override {
        facts_.role = role::primary;
        return done("promote", what.op);
    }
    awaitable<carried_out> perform(prove what) override { return done("prove", what.op); }
    awaitable<carried_out> perform(set_gate what) override { return done("gate", what.op); }
    awaitable<carried_out> perform(drain what) override { return slow(what.op); }
    awaitable<carried_out> perform(resume_writes what) override { return done("resume", what.op); }
    awaitable<fenced> perform(fence what) override {
        log_.push_back(what.kill ? "kill" : "fence");
        fenced_at_ = net::now();
        facts_.role = role::replica;
        fenced f;
        f.op = what.op;
        f.result = outcome::done;
        co_return f;
    }
    awaitable<carried_out> perform(follow what) override { return done("follow", what.op); }
    awaitable<carried_out> perform(checkpoint what) override { return done("checkpoint", what.op); }
    awaitable<carried_out> perform(quarantine what) override { return done("copy", what.op); }
    awaitable<carried_out> perform(resync what) override { return done("resync", what.op); }
    awaitable<carried_out> stop_following(std::uint64_t op) override {
        return done("end stream", op);
    }
    database_facts facts_;
    instant fenced_at_{};

private:
    awaitable<carried_out> done(char const* what, std::uint64_t op) {
        log_.emplace_back(what);
        carried_out c;
        c.op = op;
        c.result = outcome::done;
        c.at = facts_.at;
        co_return c;
    }
    awaitable<carried_out> slow(std::uint64_t op) {
        log_.emplace_back("drain");
        milliseconds const long_time(60'000);
        co_await net::sleep_for(long_time);
        carried_out c;
        c.op = op;
        co_return c;
    }
    said& log_;
};

}  // namespace bevmesh::failover::testing
