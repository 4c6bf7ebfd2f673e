// Two real PostgreSQL servers of a test, made a primary and its standby by failover's own calls.
#pragma once

#include <memory>
#include <string>

#include "failover/postgres/server.hpp"
#include "tests/catch.hpp"
#include "tests/failover/postgres/postgres_process.hpp"

namespace bevmesh::testing {

using executor = boost::asio::any_io_executor;

inline constexpr auto limit = milliseconds(15'000);

template <class Test, class... Servers>
void on_loop(Test test, Servers&... servers) {
    boost::asio::io_context loop;
    run(loop, test(executor(loop.get_executor()), servers...));
}

#define DETAIL(call) INFO(((call).has_error() ? (call).error().detail : std::string()))

[[nodiscard]] std::unique_ptr<failover::postgres::server> calls_to(executor const& on,
                                                                   postgres_process const& whom);
/// A promotion may begin until then.
[[nodiscard]] instant later();
/// Made, boot-fenced, running, and promoted; the process.
awaitable<std::string> make_primary(executor on, postgres_process& p);
/// From an empty directory to a standby that streams; the process.
awaitable<std::string> make_standby(executor on, postgres_process& p, postgres_process& primary);
awaitable<void> until_received(failover::postgres::server& standby,
                               failover::postgres::server& primary);
/// Until the primary's only standby counts for its gate: each walsender reads the changed setting
/// in its own time, after the server has answered that the gate is set. The state then.
awaitable<failover::postgres::server_state> until_counted(failover::postgres::server& primary);
/// Until the primary's only standby has caught up. The state then.
awaitable<failover::postgres::server_state> until_streaming(failover::postgres::server& primary);

}  // namespace bevmesh::testing
