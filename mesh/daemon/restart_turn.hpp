// Whose turn it is to restart an instance of a service, so that over all nodes one is away at a
// time.
//
//   bevmesh/restart/SERVICE in Consul's KV: {"node", "until"}, taken by compare-and-set
//
// It is given back when the service takes connections again; that of a daemon that died is over at
// `until`, by the taker's own clock. Where Consul does not answer there are no turns: a certificate
// near its end must not wait for it, and the other instances are still looked at before.
#pragma once

#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"
#include "mesh/consul/client.hpp"
#include "mesh/log/log.hpp"

namespace bevmesh::daemon {

class restart_turn {
public:
    /// `agent` must outlive it.
    restart_turn(consul::client& agent, std::string node);

    /// errc::conflict: it is another node's.
    [[nodiscard]] boost::asio::awaitable<result<void>> take(std::string service);
    /// Nothing where it was not taken.
    [[nodiscard]] boost::asio::awaitable<void> give_back(std::string service);

    /// Longer than a restart takes at worst: to stop, to come back, and clocks that differ.
    static constexpr seconds longest{180};

private:
    boost::asio::awaitable<result<bool>> try_take(std::string key);

    consul::client& agent_;
    std::string node_;
    std::map<std::string, std::uint64_t> taken_;  // ModifyIndex, by key
    log::logger log_{"certs"};
};

}  // namespace bevmesh::daemon
