#include "failover/driver/lane.hpp"

#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::failover {

namespace asio = boost::asio;

void lane::push(job what) {
    jobs_.push_back(std::move(what));
    wake_.cancel();
}

void lane::drop_waiting() {
    auto const dropped = std::exchange(jobs_, {});
    for (auto const& each : dropped)
        if (each.drop) each.drop();
}

asio::awaitable<void> lane::run() {
    for (;;) {
        while (!jobs_.empty()) {
            auto const next = std::move(jobs_.front());
            jobs_.pop_front();
            busy_ = true;
            co_await next.run();
            busy_ = false;
            done_.cancel();
        }
        wake_.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code woken;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return;
    }
}

asio::awaitable<bool> lane::wait_idle(std::chrono::milliseconds limit) {
    if (!busy_) co_return true;
    done_.expires_after(limit);
    boost::system::error_code ended;
    co_await done_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    co_return !busy_;
}

}  // namespace bevmesh::failover
