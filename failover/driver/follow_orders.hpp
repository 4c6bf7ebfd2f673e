// Puts the standing orders to a group's driver: the pause, and the switchover when its time has
// come.
//
// A switchover that is due is put to the core each second until it was carried out, by whichever
// node holds the lease; the record remembers its id. After `late_max` it is given up, with a
// warning. The entry is cleared when it was carried out or given up.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "failover/driver/driver.hpp"
#include "failover/driver/order_book.hpp"

namespace bevmesh::failover {

/// Until canceled. All must outlive it.
boost::asio::awaitable<void> follow_orders(order_book& own, order_book const& mesh, driver& to,
                                           journal& history);

/// The wall clock, for orders alone.
[[nodiscard]] utc wall_clock() noexcept;

}  // namespace bevmesh::failover
