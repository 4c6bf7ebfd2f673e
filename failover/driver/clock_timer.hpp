// A timer on CLOCK_BOOTTIME, the core's clock: Asio's stands still while the machine sleeps.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "mesh/base/time.hpp"

namespace bevmesh::failover {

class clock_timer {
public:
    /// Throws std::system_error when there is no descriptor.
    explicit clock_timer(boost::asio::any_io_executor executor);

    /// Also while somebody waits: the wait then ends at the new time.
    void set(instant when);
    /// Until the time that was set has come.
    boost::asio::awaitable<void> wait();

private:
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace bevmesh::failover
