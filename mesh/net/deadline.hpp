// Time limits for coroutines: sleep_for, with_deadline, and a watchdog for I/O objects.
//
// Asio 1.26 has no cancel_after, and its `a || b` swallows the exception of the side that fails
// first, so this is the one place that races an operation against a timer.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::net {

using steady_point = std::chrono::steady_clock::time_point;

/// Ends early only by cancellation, which it throws like every operation of Asio.
boost::asio::awaitable<void> sleep_for(milliseconds duration);

/// "1500ms", "10s": how a limit is named in failures.
[[nodiscard]] std::string limit_text(milliseconds limit);

/// Calls `on_expiry` once when `limit` has passed, unless it was destroyed or disarmed before.
/// For I/O objects whose operations end when they are closed; one timer serves a whole exchange.
class watchdog {
public:
    watchdog(boost::asio::any_io_executor const& executor, steady_point when,
             std::function<void()> on_expiry);
    ~watchdog();
    watchdog(watchdog const&) = delete;
    watchdog& operator=(watchdog const&) = delete;

    [[nodiscard]] bool expired() const noexcept { return state_->expired; }
    /// False when it had expired already.
    bool disarm() noexcept;

private:
    struct state {
        std::function<void()> on_expiry;
        bool expired = false;
        bool armed = true;
    };
    std::shared_ptr<state> state_;
    boost::asio::steady_timer timer_;
};

namespace detail {

template <class T>
struct outcome {
    using type = result<T>;
};
template <class T>
struct outcome<result<T>> {
    using type = result<T>;
};

}  // namespace detail

/// Runs `op` for at most `limit`; then cancels it (terminal), waits for its end and gives
/// errc::timed_out with `doing`. An exception of `op` is thrown on; so is our own cancellation.
/// T, or the U of a result<U>, must be default-constructible. Pass `op` as a named variable, moved.
template <class T>
boost::asio::awaitable<typename detail::outcome<T>::type> with_deadline(
    boost::asio::awaitable<T> op, milliseconds limit, std::string doing) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto race = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(op), asio::deferred), timer.async_wait(asio::deferred));
    if constexpr (std::is_void_v<T>) {
        auto done =
            co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
        auto& [order, error, timer_error] = done;
        if (order[0] == 1 && !timer_error) {
            co_return failure{errc::timed_out, doing + ": not done within " + limit_text(limit)};
        }
        if (error) std::rethrow_exception(error);
        co_return result<void>();
    } else {
        auto done =
            co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
        auto& [order, error, value, timer_error] = done;
        if (order[0] == 1 && !timer_error) {
            co_return failure{errc::timed_out, doing + ": not done within " + limit_text(limit)};
        }
        if (error) std::rethrow_exception(error);
        co_return std::move(value);
    }
}

}  // namespace bevmesh::net
