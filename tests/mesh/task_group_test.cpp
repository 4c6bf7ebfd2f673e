// Task groups and deadlines.
#include "mesh/net/task_group.hpp"

#include <stdexcept>

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

namespace {

awaitable<void> throw_late() {
    co_await net::sleep_for(milliseconds(1));
    throw std::runtime_error("it broke");
}

awaitable<void> for_ever(bool& cleaned) {
    struct mark {
        bool& cleaned;
        ~mark() { cleaned = true; }
    } const guard{cleaned};
    co_await net::sleep_for(std::chrono::hours(1));
}

awaitable<void> release_after_cancel(bool& released) {
    try {
        co_await net::sleep_for(std::chrono::hours(1));
    } catch (boost::system::system_error const&) {
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await net::sleep_for(milliseconds(5));
    released = true;
}

awaitable<void> brief(int& done) {
    co_await net::sleep_for(milliseconds(1));
    ++done;
}

awaitable<void> join_it(net::task_group& group) {
    co_await group.join();
}

}  // namespace

TEST_CASE("a child's exception reaches the handler with the child's name") {
    asio::io_context loop;
    std::vector<std::string> told;
    net::task_group group(loop.get_executor(), [&](std::string_view task, std::string const& what) {
        told.push_back(std::string(task) + ": " + what);
    });
    int done = 0;
    group.spawn(throw_late(), "watcher");
    group.spawn(brief(done), "worker");
    run(loop, group.join());
    CHECK(told == std::vector<std::string>(1, "watcher: it broke"));
    CHECK(done == 1);
}

TEST_CASE("cancel ends all children, join waits for their clean-up, and nobody is told") {
    asio::io_context loop;
    bool told = false;
    bool cleaned = false;
    bool released = false;
    net::task_group group(loop.get_executor(),
                          [&](std::string_view, std::string const&) { told = true; });
    group.spawn(for_ever(cleaned), "a");
    group.spawn(release_after_cancel(released), "b");
    loop.poll();
    CHECK(group.names() == std::vector<std::string>{"a", "b"});
    group.cancel();
    int done = 0;
    CHECK_FALSE(group.spawn(brief(done), "late"));
    run(loop, group.join());
    CHECK(cleaned);
    CHECK(released);
    CHECK_FALSE(told);
    CHECK(group.size() == 0);
}

TEST_CASE("a canceled join cancels the children and still waits for them") {
    asio::io_context loop;
    bool released = false;
    net::task_group inner(loop.get_executor(), nullptr);
    net::task_group outer(loop.get_executor(), nullptr);
    inner.spawn(release_after_cancel(released), "inner");
    outer.spawn(join_it(inner), "joiner");
    loop.poll();
    outer.cancel();
    run(loop, outer.join());
    CHECK(released);
    CHECK(inner.size() == 0);
}

TEST_CASE("a group that goes cancels its children") {
    asio::io_context loop;
    bool cleaned = false;
    {
        net::task_group group(loop.get_executor(), nullptr);
        group.spawn(for_ever(cleaned), "a");
        loop.poll();
    }
    loop.restart();
    loop.run();
    CHECK(cleaned);
}

namespace {

awaitable<int> number_after(milliseconds wait) {
    co_await net::sleep_for(wait);
    co_return 7;
}

awaitable<result<int>> refuse() {
    co_return failure{errc::forbidden, "no"};
}

awaitable<void> try_deadlines() {
    auto quick = number_after(milliseconds(1));
    auto const in_time = co_await net::with_deadline(std::move(quick), seconds(5), "quick");
    CHECK(in_time.value() == 7);

    auto slow = number_after(std::chrono::hours(1));
    auto const late = co_await net::with_deadline(std::move(slow), milliseconds(20), "count");
    REQUIRE(late.has_error());
    CHECK(describe(late.error()) == "count: not done within 20ms (timed out)");

    auto refused = refuse();
    auto const said = co_await net::with_deadline(std::move(refused), seconds(5), "ask");
    CHECK(said.error().code == errc::forbidden);

    auto broken = throw_late();
    bool thrown = false;
    try {
        auto const ignored = co_await net::with_deadline(std::move(broken), seconds(5), "break");
        static_cast<void>(ignored);
    } catch (std::runtime_error const&) {
        thrown = true;
    }
    CHECK(thrown);
}

awaitable<void> wait_long(bool& ended_normally) {
    auto slow = number_after(std::chrono::hours(1));
    auto const never = co_await net::with_deadline(std::move(slow), std::chrono::hours(1), "wait");
    static_cast<void>(never);
    ended_normally = true;
}

}  // namespace

TEST_CASE("a deadline cancels what is late and passes on what is not") {
    asio::io_context loop;
    run(loop, try_deadlines());
}

TEST_CASE("cancellation goes through a deadline") {
    asio::io_context loop;
    bool ended_normally = false;
    net::task_group group(loop.get_executor(), nullptr);
    group.spawn(wait_long(ended_normally), "wait");
    loop.poll();
    group.cancel();
    run(loop, group.join());
    CHECK_FALSE(ended_normally);
}

TEST_CASE("a watchdog acts once, and not after it was disarmed or destroyed") {
    asio::io_context loop;
    int acted = 0;
    auto const soon = std::chrono::steady_clock::now() + milliseconds(2);
    net::watchdog const one(loop.get_executor(), soon, [&] { ++acted; });
    net::watchdog two(loop.get_executor(), soon, [&] { ++acted; });
    CHECK(two.disarm());
    {
        net::watchdog const three(loop.get_executor(), soon, [&] { ++acted; });
    }
    loop.run();
    CHECK(acted == 1);
    CHECK(one.expired());
    CHECK_FALSE(two.expired());
}

TEST_CASE("the clock goes forward") {
    auto const before = net::now();
    CHECK(net::now() >= before);
    CHECK(before > instant{});
}
