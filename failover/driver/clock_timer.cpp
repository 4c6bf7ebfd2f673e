#include "failover/driver/clock_timer.hpp"

#include <cerrno>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::failover {

namespace asio = boost::asio;

namespace {

int make_timer() {
    int const fd = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
    return fd;
}

}  // namespace

clock_timer::clock_timer(asio::any_io_executor executor) : descriptor_(executor, make_timer()) {}

void clock_timer::set(instant when) {
    // Zero would disarm it.
    auto const ns = std::max<std::int64_t>(when.time_since_epoch().count(), 1);
    itimerspec at{};
    at.it_value.tv_sec = ns / 1'000'000'000;
    at.it_value.tv_nsec = ns % 1'000'000'000;
    ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &at, nullptr);
}

asio::awaitable<void> clock_timer::wait() {
    for (;;) {
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::use_awaitable);
        std::uint64_t times = 0;
        // Set anew meanwhile: nothing to read yet.
        if (::read(descriptor_.native_handle(), &times, sizeof times) == sizeof times) co_return;
    }
}

}  // namespace bevmesh::failover
