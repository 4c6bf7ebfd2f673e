// One coroutine run to its end, for commands that do one thing after the other.
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace bevmesh::cli {

/// Runs the loop until there is an answer, not until it has nothing to do: a connection that is
/// kept alive would keep it busy. Throws on what the operation throws.
template <class T>
T block_on(boost::asio::io_context& loop, boost::asio::awaitable<T> operation) {
    std::optional<T> answer;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, std::move(operation), [&](std::exception_ptr e, T value) {
        thrown = e;
        if (!e) answer.emplace(std::move(value));
    });
    while (!answer && !thrown && loop.run_one() > 0) {
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!answer) throw std::logic_error("an operation that nothing completes");
    return *std::move(answer);
}

}  // namespace bevmesh::cli
