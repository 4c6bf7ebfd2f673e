// The daemon's failover groups: a driver for each that this node is a member of, and their routes.
//
//   GET  /v1/failover[?group=G]        what is known of the groups
//   GET  /v1/failover/history?group=G  the last steps
//   POST /v1/failover/order            {"group", "order", "node", "accept_data_loss"}
//   POST /v1/failover/schedule         {"group", "node", "at", "by"}; "at" empty: cancels it
//   POST /v1/failover/pause            {"group", "seconds", "by"}; group "*": the mesh; 0 ends it
// and for the other members: promise, report, nudge, end_stream (failover/driver/members.hpp). An
// order is put to the node that can carry it out, and a question about a group to one of its
// members, whichever daemon got it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "failover/driver/driver.hpp"
#include "failover/driver/order_book.hpp"
#include "mesh/consul/client.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/docker/client.hpp"

namespace bevmesh::daemon {

/// All must outlive the groups.
struct failover_sources {
    consul::client& consul;
    docker::client& docker;
    peers& others;
};

class failover_groups {
public:
    /// errc::bad_input or local_error with a sentence where a group cannot be served: a password
    /// that cannot be read, a unit (which no part starts yet).
    [[nodiscard]] static result<std::unique_ptr<failover_groups>> make(
        boost::asio::any_io_executor executor, mesh_config const& config, std::string node,
        failover_sources from);
    ~failover_groups();

    void mount(routes& on);
    /// Until canceled; leaves leases, databases and guards as they are.
    net::awaitable<void> run();
    /// Commits a longer term where one is configured, so that the restart moves nothing.
    net::awaitable<void> prepare_restart();

    [[nodiscard]] bool empty() const noexcept { return groups_.empty(); }
    [[nodiscard]] static bool is_health(std::string_view target) {
        return target.starts_with("/primary/") || target.starts_with("/replica/");
    }
    /// For load balancers: /primary/GROUP and /replica/GROUP?max_lag=BYTES; 200, 503 or 404.
    [[nodiscard]] net::http_response health(std::string const& target) const;

    /// Whether this node's database is its group's primary; false for what is no group.
    [[nodiscard]] bool is_primary(std::string const& name) const;

    /// By the groups' names.
    [[nodiscard]] std::map<std::string, failover::driver const*> drivers() const;

private:
    struct group;

    failover_groups(boost::asio::any_io_executor executor, std::string node, failover_sources from);
    result<void> add(failover_group_config const& config, mesh_config const& mesh);
    [[nodiscard]] result<group*> find(std::string const& name) const;
    [[nodiscard]] result<group*> asked_for(call const& c) const;
    net::awaitable<result<std::string>> promise(call c);
    net::awaitable<result<std::string>> report(call c);
    net::awaitable<result<std::string>> nudge(call c);
    net::awaitable<result<std::string>> end_stream(call c);
    net::awaitable<result<std::string>> order(call c);
    net::awaitable<result<std::string>> pause(call c);
    net::awaitable<result<std::string>> schedule(call c);
    net::awaitable<result<std::string>> status(call c);
    net::awaitable<result<std::string>> history(call c);
    /// The answer of the first member that gives one, for a group that this node is no member of.
    net::awaitable<result<std::string>> ask_a_member(std::string name, call c);
    net::awaitable<result<std::string>> acknowledge(std::string name, call c);
    /// errc::conflict: nobody.
    net::awaitable<result<std::string>> holder_of(std::string name, call c);
    [[nodiscard]] std::vector<std::string> reachable_first(std::vector<std::string> nodes) const;
    net::awaitable<std::vector<std::string>> wait_for_pause(group const& g, bool paused);
    [[nodiscard]] bool is_elsewhere(std::string const& name, call const& c) const;

    boost::asio::any_io_executor executor_;
    std::string node_;
    failover_sources from_;
    std::map<std::string, std::unique_ptr<group>> groups_;
    std::map<std::string, std::vector<std::string>> elsewhere_;  // other groups: their members
    failover::order_book mesh_orders_;
    net::task_group tasks_;
};

}  // namespace bevmesh::daemon
