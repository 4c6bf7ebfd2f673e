// What blocks, such as a large copy or an fsync, run beside the loop.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::net {

namespace detail {

template <class T>
boost::asio::awaitable<T> call(std::function<T()> what) {
    co_return what();
}

}  // namespace detail

/// `what` runs on the pool, and shares nothing with the loop; the caller goes on in its own
/// executor with the result. It is not canceled: it ends.
template <class T>
boost::asio::awaitable<T> on_pool(boost::asio::thread_pool& pool, std::function<T()> what) {
    auto job = detail::call<T>(std::move(what));
    co_return co_await boost::asio::co_spawn(pool, std::move(job), boost::asio::use_awaitable);
}

}  // namespace bevmesh::net
