// The node's Vault: the client that the daemon's parts use, and the login that keeps it good.
//
// What the login keeps is vault.json in the state directory, mode 0600; without it the node logs in
// from the files that an administrator gave it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "mesh/base/config.hpp"
#include "mesh/vault/client.hpp"
#include "mesh/vault/session_driver.hpp"

namespace bevmesh::daemon {

class vault_link {
public:
    /// Fails where the CA file cannot be used; a server is asked only once it runs. `tell` must not
    /// throw.
    [[nodiscard]] static result<std::unique_ptr<vault_link>> make(
        boost::asio::any_io_executor executor, mesh_config const& mesh, std::string const& node,
        std::uint64_t seed, std::function<void(vault::say, std::string const&)> tell);

    /// Until canceled.
    [[nodiscard]] net::awaitable<void> run() { return session_->run(); }
    [[nodiscard]] vault::client& client() noexcept { return *client_; }
    [[nodiscard]] vault::login_state login() const { return session_->state(); }
    /// When the first certificate ends: a login that fails is tried ever more often until then.
    void needed_by(std::function<std::optional<instant>()> when) {
        session_->needed_by(std::move(when));
    }

private:
    vault_link() = default;
    std::unique_ptr<vault::client> client_;
    std::unique_ptr<vault::session> session_;
};

/// As above, with the daemon's log. A daemon without its Vault still does its other work: null
/// where the configuration has none, and where it cannot be used, which is told.
[[nodiscard]] std::unique_ptr<vault_link> open_vault(boost::asio::any_io_executor executor,
                                                     mesh_config const& mesh,
                                                     std::string const& node, std::uint64_t seed);

}  // namespace bevmesh::daemon
