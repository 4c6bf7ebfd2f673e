// What the service manager is told (sd_notify(3)), and the watchdog's food.
//
// Does nothing where no manager listens. The watchdog is fed from the event loop itself, at half
// its interval, so that a loop that stands still starves it.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

namespace bevmesh::daemon {

void notify_ready(std::string const& status);
void notify_status(std::string const& status);
/// systemd 252 has no Type=notify-reload: RELOADING=1 with the monotonic time, then READY=1.
void notify_reloading();
void notify_stopping();

/// Feeds the watchdog until canceled; returns at once when none is set.
boost::asio::awaitable<void> feed_watchdog();

}  // namespace bevmesh::daemon
