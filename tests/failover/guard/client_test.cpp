// The daemon's side, over an event loop.
#include "failover/guard/client.hpp"

#include <csignal>
#include <poll.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"
#include "tests/failover/guard/processes.hpp"

namespace bevmesh::failover::guard {
namespace {

using namespace testing;

void run(boost::asio::io_context& loop, awaitable<void> test) {
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, std::move(test),
                          [&](std::exception_ptr const& error) { thrown = error; });
    loop.restart();
    loop.run_for(seconds(10));
    REQUIRE(loop.stopped());
    if (thrown) std::rethrow_exception(thrown);
}

lease_end in(milliseconds from_now, milliseconds margin = milliseconds(0)) {
    return {net::now() + from_now, margin, false};
}

TEST_CASE("A daemon arms, extends, leaves its blob and finds it again") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    static_cast<void>(call(where));
    boost::asio::io_context loop;
    auto const who = identity(database.pid());
    run(loop, [](auto executor, std::string path, victim_id victim) -> awaitable<void> {
        auto const daemon = make_client(executor, path, seconds(5));
        auto seen = co_await daemon->ask();
        REQUIRE(seen.has_error());
        CHECK(seen.error().code == errc::unreachable);
        seen = co_await daemon->hello();
        REQUIRE(seen.has_value());
        CHECK(seen->guard_id.size() == 32);
        CHECK(seen->group == "redis");
        CHECK(seen->phase == phase::idle);
        auto const until = in(seconds(3), milliseconds(200));
        std::optional<std::string> blob("{\"index\":17}");
        seen = co_await daemon->arm(victim, -1, until, blob);
        REQUIRE(seen.has_value());
        CHECK(seen->done());
        auto const longer = in(seconds(5), milliseconds(200));
        seen = co_await daemon->extend(longer, std::nullopt);
        REQUIRE(seen.has_value());
        CHECK(seen->deadline == longer.valid_until);
        CHECK(seen->margin == milliseconds(200));
        CHECK(seen->blob == blob);
        std::optional<std::string> large(std::string(5000, 'x'));
        seen = co_await daemon->extend(longer, large);
        CHECK(seen.error().code == errc::too_large);

        auto const newer = make_client(executor, path, seconds(5));
        seen = co_await newer->hello();
        REQUIRE(seen.has_value());
        CHECK(seen->victim == victim);
        CHECK(seen->deadline == longer.valid_until);
        CHECK(seen->blob == blob);
        seen = co_await daemon->ask();
        REQUIRE(seen.has_error());
        CHECK_FALSE(daemon->connected());
        seen = co_await newer->forget(std::string("after"));
        REQUIRE(seen.has_value());
        CHECK(seen->phase == phase::idle);
        CHECK(seen->blob == "after");
    }(loop.get_executor(), where.path("guard.sock"), who));
}

TEST_CASE("A fence is over when the process is dead, and its end is seen by pidfd") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    static_cast<void>(call(where));
    boost::asio::io_context loop;
    auto const who = identity(database.pid());
    database.signal(SIGSTOP);
    run(loop, [](auto executor, std::string path, victim_id victim) -> awaitable<void> {
        auto const daemon = make_client(executor, path, seconds(5));
        co_await daemon->hello();
        auto const handle = open_process(victim.pid);
        auto const armed = co_await daemon->arm(victim, handle.get(), in(seconds(9)), std::nullopt);
        CHECK(armed->done());
        auto const fenced = co_await daemon->fence(seconds(5));
        REQUIRE(fenced.has_value());
        CHECK(fenced->phase == phase::dead);
        CHECK(fenced->cause == death::asked);
        CHECK(fenced->dead >= fenced->struck);
        co_await process_end(handle.get());
    }(loop.get_executor(), where.path("guard.sock"), who));
    CHECK(database.ended(milliseconds(0)));
}

TEST_CASE("A guard that is frozen or dead is a failure within the limit") {
    scratch const where;
    auto guard_process = std::make_unique<child>(guard_with(options_in(where)));
    static_cast<void>(call(where));
    boost::asio::io_context loop;
    run(loop, [](auto executor, std::string path, child& frozen) -> awaitable<void> {
        auto const daemon = make_client(executor, path, milliseconds(1'000));
        auto const greeted = co_await daemon->hello();
        REQUIRE(greeted.has_value());
        frozen.signal(SIGSTOP);
        auto const answered = co_await daemon->ask();
        REQUIRE(answered.has_error());
        CHECK(answered.error().code == errc::timed_out);
        CHECK_FALSE(daemon->connected());
        frozen.signal(SIGKILL);
        frozen.reap();
        auto const gone = co_await daemon->hello();
        CHECK(gone.error().code == errc::unreachable);
    }(loop.get_executor(), where.path("guard.sock"), *guard_process));
}

TEST_CASE("Calls at the same time are answered each its own") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    static_cast<void>(call(where));
    boost::asio::io_context loop;
    auto const daemon = make_client(loop.get_executor(), where.path("guard.sock"), seconds(5));
    run(loop, [](client& d, victim_id victim) -> awaitable<void> {
        co_await d.hello();
        auto const armed = co_await d.arm(victim, -1, in(seconds(60)), std::nullopt);
        CHECK(armed->done());
    }(*daemon, identity(database.pid())));
    int done = 0;
    for (int i = 0; i < 50; ++i) {
        boost::asio::co_spawn(
            loop,
            [](client& d, int n, int& count) -> awaitable<void> {
                auto const blob = std::to_string(n);
                auto const answered = co_await d.extend(in(seconds(60)), blob);
                if (answered && answered->done() && answered->blob == blob) ++count;
            }(*daemon, i, done),
            boost::asio::detached);
    }
    loop.restart();
    loop.run_for(seconds(5));
    CHECK(done == 50);
}

}  // namespace
}  // namespace bevmesh::failover::guard
