// The other nodes' daemons: requests to them and what is known of each.
//
// By mutual TLS on the nodes' mesh addresses (see mesh/net/mutual_tls.hpp); a node is who its
// certificate's URI says, spiffe://MESH/node/NODE/service/bevmesh. The certificate is Vault's as
// soon as there is one that serves, kept like a service's (certificates.hpp); until then it is that
// of `tls:`. A node with both trusts both CAs, and shows each peer what that one trusts: nodes may
// go over to Vault in any order. Without a certificate every request fails and says so. One thread,
// like everything here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/config.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/log/log.hpp"
#include "mesh/net/http_server.hpp"
#include "mesh/net/mutual_tls.hpp"

namespace bevmesh::daemon {

struct peer_question {
    std::string method = "GET";
    std::string target;
    std::string body = {};         // JSON; empty: none
    milliseconds deadline{5'000};  // for all of it: connect, handshake, answer
    bool never_resend = false;     // even where the connection broke before an answer began
};

/// As it came here, for another node.
[[nodiscard]] peer_question same_question(call const& c);

/// What one other node last said of itself.
struct peer_view {
    std::string address;
    bool asked = false;
    bool reachable = false;
    std::string detail;  // why not
    std::string version;
    std::string config;  // fingerprint of its configuration
    std::string boot_id;
    std::optional<nanoseconds> round_trip;     // of the last answer, on an open connection
    std::optional<milliseconds> clock_offset;  // its clock less ours, within half the round trip
    std::uint64_t errors = 0;                  // questions without an answer, of whatever kind
};

class peers {
public:
    using answers = std::map<std::string, result<std::string>>;

    /// Loads the files; a failure names the one of `config.tls` that does not serve. What Vault
    /// gave before may have ended meanwhile: that is told, and no failure. `fingerprint` is the
    /// configuration's (fingerprint.hpp).
    [[nodiscard]] static result<std::unique_ptr<peers>> make(boost::asio::any_io_executor executor,
                                                             mesh_config const& config,
                                                             std::string node,
                                                             std::string fingerprint);

    [[nodiscard]] bool enabled() const noexcept { return tls_->context != nullptr; }
    /// Whether renew() will enable it, in a while.
    [[nodiscard]] bool awaited() const noexcept {
        return !enabled() && !from_.vault.certificate.empty();
    }

    /// The body of the answer, JSON. An error answer of the node is the failure it had there;
    /// errc::unreachable, timed_out, forbidden and so on where there was none (mesh/net/http.hpp).
    net::awaitable<result<std::string>> request(std::string node, peer_question what);

    /// All other nodes at once; as long as the slowest, at most the deadline.
    net::awaitable<answers> ask_all(peer_question what);

    /// GET /v1/peer, for everybody.
    void mount(routes& on, std::function<nlohmann::json()> describe);

    /// Binds to this node's address; the handler gets the caller's node in http_request::peer.
    /// To be called once, where enabled(); keeps nothing when it fails.
    [[nodiscard]] result<std::unique_ptr<net::http_server>> listen(net::http_handler handler);

    /// Asks every node who it is, each `pause`, until canceled; tells the log what changed. Ends at
    /// once where there is no certificate and none will come.
    net::awaitable<void> watch();

    /// Certificates read anew; on any failure the old ones stay. Open connections live on.
    result<void> configure(mesh_config const& config, std::string fingerprint);

    /// Vault's files are others: as configure(), by the configuration that it has.
    result<void> renew();

    [[nodiscard]] std::map<std::string, peer_view> const& views() const { return views_; }
    [[nodiscard]] std::string const& fingerprint() const { return fingerprint_; }
    /// Of our own certificate; seconds of Unix time. 0 without one.
    [[nodiscard]] std::int64_t certificate_expires() const { return expires_; }
    /// Handshakes that were refused at our listener.
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

    static constexpr milliseconds pause{2'000};

    /// Where this node's certificate is. A path that is empty: there is none of this kind.
    struct sources {
        std::string uri;  // for which it must be
        net::mutual_tls_files vault;
        net::mutual_tls_files configured;
    };

private:
    peers(boost::asio::any_io_executor executor, std::string node);
    net::awaitable<void> ask_into(std::string node, peer_question what,
                                  std::shared_ptr<answers> all);
    net::awaitable<void> look_at_all();
    net::awaitable<void> look_at(std::string node);
    [[nodiscard]] std::string why_silent() const;
    void take(peer_view& view, std::string const& node, std::string const& body,
              nanoseconds round_trip);
    void lost(peer_view& view, std::string const& node, std::string why);
    [[nodiscard]] result<std::string> identify(std::vector<std::string> const& uris) const;
    void show(net::mutual_tls fresh);
    void replace_ended();
    void complain(std::string const& what);

    boost::asio::any_io_executor executor_;
    std::string node_;
    log::logger log_{"peers"};
    std::string mesh_;
    std::string address_;
    std::uint16_t port_ = 0;
    sources from_;
    std::string fingerprint_;
    std::int64_t expires_ = 0;
    std::int64_t told_ended_ = 0;  // the end that was told last
    std::shared_ptr<net::tls_door> tls_ = std::make_shared<net::tls_door>();
    std::map<std::string, std::shared_ptr<net::http_client>> clients_;
    std::map<std::string, peer_view> views_;
    std::uint64_t refused_ = 0;
    std::string complaint_;  // told last
    instant complained_{};
};

/// spiffe://MESH/node/NODE/service/bevmesh
[[nodiscard]] std::string peer_uri(std::string const& mesh, std::string const& node);

/// Whether the mesh's daemons speak to each other by certificates of Vault.
[[nodiscard]] bool peers_by_vault(mesh_config const& mesh);

/// Whether the daemon has a certificate of Vault of its own: for its peers, or for Consul's agent.
[[nodiscard]] bool own_by_vault(mesh_config const& mesh);

/// Where such a certificate is kept, and how: as a service's whose files are the daemon's alone.
[[nodiscard]] service_tls_config peer_tls(std::string const& state_dir);

}  // namespace bevmesh::daemon
