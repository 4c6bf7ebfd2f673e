// The certificates of this node's services: a keeper for each service of the configuration that has
// `tls` and an instance here, one for the daemon itself (as service `bevmesh`, by which the peers
// know each other), and their routes.
//
//   GET  /v1/certs            of this node, and the bundle that it sees in Vault
//   GET  /v1/certs/mesh       of every node, and who did not answer
//   GET  /v1/certs/pem        ?service=NAME: the certificate itself, and no key
//   POST /v1/certs/rotate     {"service"}: another one, now; the answer comes before it is made
//
// What a keeper has reached is in STATE_DIR/certs/SERVICE.json: a daemon that is killed goes on
// there. The CAs in Vault, and their CRLs, are looked at every trust_pause: where they are others,
// every service gets them, with the certificate that it has (revocation.hpp). Which services have
// certificates is read at the start alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <nlohmann/json_fwd.hpp>

#include "certs/bundle.hpp"
#include "certs/renewal.hpp"
#include "certs/shared_bundle.hpp"
#include "mesh/base/config.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/revocation.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/daemon/service_reload.hpp"
#include "mesh/docker/client.hpp"
#include "mesh/log/log.hpp"
#include "mesh/net/task_group.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::daemon {

/// What the metrics show of one; valid until the certificates go on.
struct certificate_view {
    std::string service;
    certs::renewal_state const* state = nullptr;
    certs::wall_time due{};  // when the next one will be asked for
    std::uint64_t sign_calls = 0;
};

/// What a certificate's change is to the rest of the daemon.
struct certificate_hooks {
    /// The daemon's own files are others.
    std::function<result<void>()> renew_own;
    /// Those of Consul's agent are.
    certs::reload_call reload_agent;
    /// Whether the service is its group's primary on this node, where it is not restarted.
    std::function<bool(std::string const& service)> is_primary;
};

class certificates {
public:
    /// `vault` null: nothing is kept. All must outlive it. errc::local_error or bad_input: a
    /// password, a window or a state file that cannot be read.
    [[nodiscard]] static result<std::unique_ptr<certificates>> make(
        boost::asio::any_io_executor executor, mesh_config const& mesh, std::string node,
        peers& others, docker::client& docker, consul::client& agent, vault::client* vault,
        certificate_hooks hooks);
    ~certificates();

    void mount(routes& on);
    /// Until canceled.
    net::awaitable<void> run();

    [[nodiscard]] std::vector<certificate_view> views() const;
    [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
    [[nodiscard]] std::vector<certs::crl> crls() const { return revocation_.all(); }

    static constexpr seconds trust_pause{10};

private:
    struct kept;

    certificates(boost::asio::any_io_executor executor, std::string node, peers& others,
                 consul::client& agent);
    /// How what shows a certificate is told of it, and where it shows it.
    struct holder {
        certs::reload_call reload;
        certs::reload_call retrust;
        std::function<net::awaitable<result<void>>()> ready;  // may be empty
        std::vector<certs::wire_address> shown_at;
        std::function<net::awaitable<result<void>>()> reads_crl;  // may be empty
    };

    result<void> add_own(mesh_config const& mesh, vault::client& vault);
    result<void> add_agent(mesh_config const& mesh, vault::client& vault, docker::client& docker);
    result<void> add_service(service_config const& service, mesh_config const& mesh,
                             vault::client& vault, docker::client& docker);
    net::awaitable<void> watch_trust();
    [[nodiscard]] nlohmann::json describe_bundle() const;
    result<void> add(service_config const& service, mesh_config const& mesh, vault::client& vault,
                     holder by);
    [[nodiscard]] nlohmann::json describe() const;
    net::awaitable<result<std::string>> whole_mesh(call c);
    [[nodiscard]] result<std::string> rotate(call const& c);
    net::awaitable<result<std::string>> pem(call c) const;
    [[nodiscard]] result<kept const*> find(std::string const& service) const;

    boost::asio::any_io_executor executor_;
    std::string node_;
    peers& others_;
    certificate_hooks hooks_;
    restart_turn turn_;
    certs::bundle_view bundle_;
    std::string trust_trouble_;  // empty: the last look went well
    log::logger log_{"certs"};
    boost::asio::thread_pool pool_{4};                   // of all keepers, for their fsyncs
    vault::client* vault_ = nullptr;                     // null: none
    std::unique_ptr<certs::shared_bundle> trusted_;      // null: no Vault
    std::map<std::string, std::unique_ptr<kept>> kept_;  // by service
    revocation revocation_;
    net::task_group tasks_;
};

}  // namespace bevmesh::daemon
