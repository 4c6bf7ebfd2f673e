// One run of the daemon: owns every part and their order of birth and death.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json_fwd.hpp>

#include "config/loader.hpp"
#include "mesh/base/config.hpp"
#include "mesh/consul/client.hpp"
#include "mesh/daemon/api.hpp"
#include "mesh/daemon/certificates.hpp"
#include "mesh/daemon/daemon.hpp"
#include "mesh/daemon/failover.hpp"
#include "mesh/daemon/inspector.hpp"
#include "mesh/daemon/metrics.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/state.hpp"
#include "mesh/daemon/vault_link.hpp"
#include "mesh/daemon/verifier.hpp"
#include "mesh/docker/client.hpp"
#include "mesh/log/log.hpp"
#include "mesh/net/http_server.hpp"
#include "mesh/net/task_group.hpp"
#include "registrar/driver.hpp"

namespace bevmesh::daemon {

/// What `how` says the configuration is, read anew.
[[nodiscard]] config::loaded load_configuration(options const& how);

class process {
public:
    /// `config` is valid and has `node`.
    process(options how, mesh_config config, std::string node);
    ~process();
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    /// Makes clients, opens the state directory, binds the socket. Nothing is changed outside
    /// before it has succeeded.
    [[nodiscard]] result<void> prepare();

    /// Until a signal; gives the exit status.
    [[nodiscard]] int run();

private:
    net::awaitable<void> main();
    net::awaitable<void> obey_signals();
    net::awaitable<void> identify_agent();
    net::awaitable<void> tell_manager();
    void end_at_once_on_next_signal();
    void reload();
    result<void> open_state();
    result<void> keep_maintenance(std::string const& service, std::string const& reason);
    result<void> listen();
    result<void> listen_to_peers();
    result<void> renew_peers();
    result<void> renew_own();
    result<void> open_agent();
    void open_metrics();
    net::awaitable<net::http_response> answer_metrics(net::http_request request);
    void mount_verify();
    net::awaitable<result<std::string>> forward(std::string node, call c);
    [[nodiscard]] nlohmann::json describe_process() const;
    [[nodiscard]] nlohmann::json describe_peer() const;
    [[nodiscard]] std::string summary() const;

    options how_;
    std::shared_ptr<mesh_config const> config_;
    std::string node_;
    log::logger log_{"daemon"};
    boost::asio::io_context context_{1};
    boost::asio::signal_set signals_;
    std::optional<boost::asio::steady_timer> last_resort_;
    std::optional<state_directory> state_;
    maintenance_wishes maintenance_;
    std::unique_ptr<docker::client> docker_;
    std::shared_ptr<consul::identity> identity_;
    std::unique_ptr<consul::client> consul_;
    std::unique_ptr<registrar::prober> prober_;
    std::unique_ptr<registrar::reconciler> core_;
    std::unique_ptr<registrar::driver> driver_;
    std::unique_ptr<peers> peers_;
    std::unique_ptr<failover_groups> failover_;
    std::unique_ptr<vault_link> vault_;  // null without `vault`
    std::unique_ptr<certificates> certificates_;
    std::unique_ptr<api> api_;
    std::unique_ptr<inspector> inspector_;
    std::unique_ptr<verifier> verifier_;
    std::unique_ptr<routes> routes_;
    std::unique_ptr<net::http_server> server_;
    std::unique_ptr<metrics> metrics_;
    std::unique_ptr<net::http_server> metrics_server_;  // null where off
    std::unique_ptr<net::http_server> peer_server_;     // null without certificate
    net::task_group tasks_;
    consul::agent_self agent_self_;
    std::string boot_id_;
    std::string started_at_;
    std::string config_loaded_at_;
    instant started_{};
    bool failed_ = false;
};

}  // namespace bevmesh::daemon
