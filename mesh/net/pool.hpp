// What blocks, such as a large copy or an fsync, run beside the loop.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::net {

/// `what` runs on the pool, and shares nothing with the loop; the caller goes on in its own
/// executor with the result. It is not canceled: it ends. (A coroutine that is spawned on the pool
/// would be canceled from the loop's thread while it runs, and ends, on another.)
template <class T>
boost::asio::awaitable<T> on_pool(boost::asio::thread_pool& pool, std::function<T()> what) {
    namespace asio = boost::asio;
    auto const made = std::make_shared<std::optional<T>>();
    auto const begin = [&pool, made, what = std::move(what)](auto handler) {
        auto const home = asio::get_associated_executor(handler);
        asio::post(pool, [home, made, what, waiting = asio::make_work_guard(home),
                          handler = std::move(handler)]() mutable {
            std::exception_ptr trouble;
            try {
                made->emplace(what());
            } catch (...) {
                trouble = std::current_exception();
            }
            asio::post(home, [trouble, handler = std::move(handler)]() mutable {
                std::move(handler)(trouble);
            });
        });
    };
    auto token = asio::use_awaitable;
    auto ending =
        asio::async_initiate<asio::use_awaitable_t<>, void(std::exception_ptr)>(begin, token);
    co_await std::move(ending);
    co_return std::move(**made);
}

}  // namespace bevmesh::net
