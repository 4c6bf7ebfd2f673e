#include "mesh/net/deadline.hpp"

namespace bevmesh::net {

boost::asio::awaitable<void> sleep_for(milliseconds duration) {
    auto const executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, duration);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

std::string limit_text(milliseconds limit) {
    auto const count = limit.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

watchdog::watchdog(boost::asio::any_io_executor const& executor, steady_point when,
                   std::function<void()> on_expiry)
    : state_(std::make_shared<state>()), timer_(executor, when) {
    state_->on_expiry = std::move(on_expiry);
    timer_.async_wait([s = state_](boost::system::error_code error) {
        if (error || !s->armed) return;
        s->armed = false;
        s->expired = true;
        // Kept alive here: what it closes may destroy the watchdog's owner.
        auto const act = std::move(s->on_expiry);
        act();
    });
}

watchdog::~watchdog() {
    disarm();
}

bool watchdog::disarm() noexcept {
    if (!state_->armed) return !state_->expired;
    state_->armed = false;
    state_->on_expiry = nullptr;
    try {
        timer_.cancel();
    } catch (...) {
        // Only a broken reactor throws here; the handler is disarmed and does nothing.
    }
    return true;
}

}  // namespace bevmesh::net
