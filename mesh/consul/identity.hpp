// As whom a node asks its agent over TLS, and whom it takes for the agent.
//
// By the files of the configuration; or, where it says `certificates: vault`, by the daemon's own
// certificate of Vault as soon as there is one. Files that are named beside it serve until then,
// and again when it has ended; while both serve, an agent of either CA is taken, and is shown the
// certificate of the CA that it says it trusts.
// Decided for each connection as it begins, which keeps what it began with: requests under way and
// blocking queries live on over a rotation. One thread, like the clients.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "mesh/base/config.hpp"
#include "mesh/net/http.hpp"
#include "mesh/net/mutual_tls.hpp"

namespace bevmesh::consul {

class identity {
public:
    /// Told of each change between Vault's certificate and the files, which is not `well`. May be
    /// empty.
    using teller = std::function<void(bool well, std::string const&)>;

    /// `state_dir` is the daemon's, where its own certificate is. A failure (local_error,
    /// bad_input) names the file of the configuration that does not serve; Vault's are looked at
    /// when they are needed.
    [[nodiscard]] static result<std::shared_ptr<identity>> make(consul_config const& settings,
                                                                std::string const& state_dir,
                                                                teller tell);

    /// For a connection that begins now. errc::local_error: why there can be none.
    [[nodiscard]] result<net::tls_context> context();
    /// The same for one connection to an agent whose certificate may have ended. All else of it is
    /// checked.
    [[nodiscard]] result<net::tls_context> context_for_ended() const;
    /// Vault's files are others, and are used from now on. On failure the old ones stay.
    [[nodiscard]] result<void> renew();

private:
    identity(consul_config const& settings, teller tell);
    [[nodiscard]] bool by_vault() const noexcept { return !vault_.certificate.empty(); }
    [[nodiscard]] result<net::mutual_tls> load() const;
    [[nodiscard]] result<net::mutual_tls> beside_files(net::mutual_tls own) const;
    void tell_once(bool well, std::string const& text);

    net::tls_options files_;
    net::mutual_tls_files vault_;  // empty: by the files alone
    net::tls_context configured_;  // null: no files
    net::mutual_tls own_;          // without a context: not loaded yet
    teller tell_;
    std::string told_;
};

/// How to reach the agent.
[[nodiscard]] result<net::http_client_options> options_for(consul_config const& settings,
                                                           std::shared_ptr<identity> as);

}  // namespace bevmesh::consul
