// Carries out what the reconciler says, and tells it what happened. No policy here.
//
// One coroutine follows Docker's events, one holds a blocking query on the daemon's own entry in
// the agent (the agent's restart or loss of its data shows there at once), one wakes the reconciler
// when time has come, and each action is a short coroutine of its own. All of them belong to run().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "mesh/consul/client.hpp"
#include "mesh/docker/client.hpp"
#include "mesh/log/log.hpp"
#include "mesh/net/task_group.hpp"
#include "registrar/driver_counts.hpp"
#include "registrar/prober.hpp"
#include "registrar/reconcile.hpp"

namespace bevmesh::registrar {

/// Whether a peer answers, for the status page; `detail` says why not.
struct peer_state {
    bool reachable = false;
    std::string detail = "not asked yet";
};

class driver {
public:
    /// The clients and the prober must outlive run().
    driver(boost::asio::any_io_executor executor, reconciler& core, docker::client& engine,
           consul::client& agent, prober& probes);

    /// Until canceled. Leaves all registrations as they are.
    boost::asio::awaitable<void> run();

    /// From outside: a new configuration, a maintenance wish.
    void give(event e);

    [[nodiscard]] peer_state const& engine() const { return engine_state_; }
    [[nodiscard]] peer_state const& agent() const { return agent_state_; }
    [[nodiscard]] docker::engine_info const& engine_info() const { return engine_info_; }
    [[nodiscard]] std::string const& api_version() const { return api_version_; }
    [[nodiscard]] driver_counts const& counts() const { return counts_; }

private:
    boost::asio::awaitable<void> follow_engine();
    boost::asio::awaitable<result<void>> follow_events_once();
    boost::asio::awaitable<void> watch_agent(std::string own_entry);
    boost::asio::awaitable<void> keep_time();
    boost::asio::awaitable<void> do_list_containers();
    boost::asio::awaitable<void> do_inspect(std::string id);
    boost::asio::awaitable<void> do_list_agent();
    boost::asio::awaitable<void> do_look_up(std::string id);
    boost::asio::awaitable<void> do_probe(run_probe what);
    boost::asio::awaitable<void> do_register(register_service what);
    boost::asio::awaitable<void> do_deregister(deregister_service what);
    boost::asio::awaitable<void> do_report(report_check what);
    boost::asio::awaitable<void> do_maintenance(set_maintenance what);
    void perform(action a);
    void drain();
    void written_with(std::string const& id, std::string const& what, result<void> const& outcome);
    void agent_listing_failed(std::string reason);
    void agent_answers(bool yes, std::string detail);
    void engine_answers(bool yes, std::string detail);

    boost::asio::any_io_executor executor_;
    reconciler& core_;
    docker::client& docker_;
    consul::client& consul_;
    prober& prober_;
    log::logger log_{"registrar"};
    net::task_group tasks_;
    boost::asio::steady_timer wake_;
    std::deque<event> events_;
    bool draining_ = false;
    peer_state engine_state_;
    peer_state agent_state_;
    docker::engine_info engine_info_;
    std::string api_version_;
    driver_counts counts_;
};

}  // namespace bevmesh::registrar
