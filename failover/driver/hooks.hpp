// The operator's programs, run before and after a move: argv, never a shell, and bounded in time.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "failover/action.hpp"

namespace bevmesh::failover {

struct hook_settings {
    std::string group;
    std::vector<std::string> before;
    std::vector<std::string> after;
    milliseconds timeout{10'000};
};

/// The program gets BEVMESH_GROUP, BEVMESH_EVENT ("takeover", "switchover"), BEVMESH_WHEN
/// ("before", "after") and BEVMESH_NODE (who is to be primary), and PATH; nothing else of our
/// environment. Status 0: done. Another, a signal, no such program: refused. After `timeout` its
/// process group is killed: refused.
[[nodiscard]] boost::asio::awaitable<carried_out> run_hook_program(hook_settings const& how,
                                                                   run_hook what);

}  // namespace bevmesh::failover
