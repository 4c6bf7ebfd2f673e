// One coroutine, run to its end by a caller that blocks: for the command line.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "mesh/base/result.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::registrar::dns {

/// T must be default-constructible where it is not void.
template <class T>
[[nodiscard]] result<T> wait_for(boost::asio::io_context& loop, net::awaitable<result<T>> op) {
    std::optional<result<T>> done;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, std::move(op), [&](std::exception_ptr error, result<T> value) {
        thrown = error;
        done.emplace(std::move(value));
    });
    loop.restart();
    while (!done)
        loop.run_one();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*done);
}

}  // namespace bevmesh::registrar::dns
