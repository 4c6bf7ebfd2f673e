// `GROUP-replica` in the node's own agent: there while this node's database is a replica that
// streams.
#pragma once

#include "failover/driver/driver.hpp"
#include "failover/driver/lease_store.hpp"

namespace bevmesh::failover {

/// Looks and writes until canceled; leaves the entry as it is. A write that failed, or an entry
/// that somebody took away, is made good within `again`. All must outlive it.
[[nodiscard]] boost::asio::awaitable<void> announce_replica(consul::client& agent,
                                                            driver const& from,
                                                            service_address where);

/// This node's database follows, and may be read from.
[[nodiscard]] bool is_readable_replica(state const& s);

}  // namespace bevmesh::failover
