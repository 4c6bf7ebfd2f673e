#include "failover/driver/hooks.hpp"

#include <utility>

#include "mesh/net/program.hpp"

namespace bevmesh::failover {

boost::asio::awaitable<carried_out> run_hook_program(hook_settings const& how, run_hook what) {
    carried_out answer;
    answer.op = what.op;
    answer.result = outcome::done;
    auto const& argv = what.before ? how.before : how.after;
    if (argv.empty()) co_return answer;
    net::program program;
    program.argv = argv;
    program.environment = {"BEVMESH_GROUP=" + how.group, "BEVMESH_EVENT=" + what.what,
                           std::string("BEVMESH_WHEN=") + (what.before ? "before" : "after"),
                           "BEVMESH_NODE=" + what.node};
    auto const limit = how.timeout;
    auto const ended = co_await net::run_program(std::move(program), limit);
    if (ended.has_value()) co_return answer;
    answer.result = outcome::refused;
    answer.detail =
        ended.error().code == errc::timed_out ? describe(ended.error()) : ended.error().doing;
    co_return answer;
}

}  // namespace bevmesh::failover
