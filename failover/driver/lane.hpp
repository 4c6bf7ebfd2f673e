// One thing after the other: what must keep its order waits here for what was given before it.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bevmesh::failover {

class lane {
public:
    struct job {
        /// Called when its turn has come; must not be a capturing coroutine lambda (it may call
        /// one).
        std::function<boost::asio::awaitable<void>()> run;
        /// Told when it is dropped before its turn; may be empty.
        std::function<void()> drop = {};
    };

    explicit lane(boost::asio::any_io_executor executor) : wake_(executor), done_(executor) {}

    void push(job what);
    /// All that has not begun. What runs goes on.
    void drop_waiting();
    [[nodiscard]] bool idle() const noexcept { return !busy_ && jobs_.empty(); }

    /// Works until canceled.
    boost::asio::awaitable<void> run();
    /// True when what runs now has ended within `limit`.
    boost::asio::awaitable<bool> wait_idle(std::chrono::milliseconds limit);

private:
    std::deque<job> jobs_;
    bool busy_ = false;
    boost::asio::steady_timer wake_;
    boost::asio::steady_timer done_;
};

}  // namespace bevmesh::failover
