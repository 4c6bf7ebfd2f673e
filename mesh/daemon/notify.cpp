#include "mesh/daemon/notify.hpp"

#include <time.h>

#include <systemd/sd-daemon.h>

#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {

void notify_ready(std::string const& status) {
    ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void notify_status(std::string const& status) {
    ::sd_notify(0, ("STATUS=" + status).c_str());
}

void notify_reloading() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    auto const microseconds = static_cast<long long>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000;
    ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

void notify_stopping() {
    ::sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

boost::asio::awaitable<void> feed_watchdog() {
    std::uint64_t interval = 0;
    if (::sd_watchdog_enabled(0, &interval) <= 0) co_return;
    auto const half =
        std::chrono::duration_cast<milliseconds>(std::chrono::microseconds(interval / 2));
    for (;;) {
        ::sd_notify(0, "WATCHDOG=1");
        co_await net::sleep_for(half);
    }
}

}  // namespace bevmesh::daemon
