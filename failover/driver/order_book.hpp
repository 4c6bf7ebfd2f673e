// The standing orders of one group, or of the mesh, as Consul has them: watched, and changed by
// compare-and-set.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "failover/orders.hpp"
#include "mesh/consul/client.hpp"

namespace bevmesh::failover {

class order_book {
public:
    /// `agent` must outlive it.
    order_book(consul::client& agent, std::string_view group)
        : consul_(agent), key_(orders_key(group)) {}

    /// Until canceled; `on_change` after each change that was seen.
    boost::asio::awaitable<void> watch(std::function<void()> on_change);
    /// As they were last seen; none until Consul has answered.
    [[nodiscard]] standing_orders const& seen() const noexcept { return seen_; }

    using edit = std::function<void(standing_orders&)>;
    /// Reads, edits, writes if nobody else did meanwhile, else again; errc::conflict after a few.
    boost::asio::awaitable<result<void>> change(edit how);

private:
    boost::asio::awaitable<result<bool>> try_change(edit how);

    consul::client& consul_;
    std::string key_;
    standing_orders seen_;
};

}  // namespace bevmesh::failover
