// What the tests of `server` have in common: a loop each, and roles given in one line.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include "failover/redis/server.hpp"
#include "failover/redis/session.hpp"
#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"
#include "tests/failover/redis/redis_process.hpp"

namespace bevmesh::testing {

using failover::condition;
using failover::outcome;
using failover::redis::server;
using failover::redis::words;

inline constexpr auto limit = milliseconds(2000);

inline std::unique_ptr<server> calls_to(boost::asio::any_io_executor const& executor,
                                        redis_process const& whom) {
    failover::redis::server_options options;
    options.login = [login = whom.login()] { return login; };
    return failover::redis::make_server(executor, std::move(options));
}

inline std::string text_of(std::string const& path) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

inline instant later() {
    return net::now() + seconds(60);
}

/// Promoted, without a gate.
inline awaitable<std::string> make_primary(server& s) {
    auto const seen = co_await s.probe(limit);
    INFO((seen.has_error() ? seen.error().detail : std::string()));
    REQUIRE(seen.has_value());
    auto const done = co_await s.promote(seen->run_id, later(), 0, 1, limit);
    INFO((done.has_error() ? done.error().detail : std::string()));
    REQUIRE(done.has_value());
    co_return seen->run_id;
}

/// Follows, and streams.
inline awaitable<std::string> make_replica(server& s, redis_process const& me,
                                           redis_process const& primary) {
    auto const seen = co_await s.probe(limit);
    INFO((seen.has_error() ? seen.error().detail : std::string()));
    REQUIRE(seen.has_value());
    auto const done = co_await s.follow(seen->run_id, primary.address(), primary.login(), limit);
    INFO((done.has_error() ? done.error().detail : std::string()));
    REQUIRE(done.has_value());
    co_await until(me, "master_link_status", "up");
    // The primary streams to it, and counts it, from its first acknowledgement on.
    for (auto const until = net::now() + seconds(10);;) {
        auto const listed = co_await info(primary, "slave0");
        if (listed.find("state=online") != std::string::npos) break;
        REQUIRE(net::now() < until);
        co_await net::sleep_for(milliseconds(2));
    }
    co_return seen->run_id;
}

using executor = boost::asio::any_io_executor;

/// Runs `test` on a loop of its own.
template <class Test, class... Servers>
void on_loop(Test test, Servers&... servers) {
    boost::asio::io_context loop;
    run(loop, test(executor(loop.get_executor()), servers...));
}

}  // namespace bevmesh::testing
