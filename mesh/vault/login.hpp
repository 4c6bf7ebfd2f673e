// What a node does to be known to Vault: the calls behind session.hpp, and what they answer.
//
// A secret ID is known to Vault only as its holder shows it; a node may ask about and destroy its
// own, and make its next one (config/vault/node-policy.hcl).
#pragma once

#include <memory>
#include <string>

#include "mesh/base/config.hpp"
#include "mesh/net/http.hpp"
#include "mesh/vault/types.hpp"

namespace bevmesh::vault {

using net::awaitable;

class login_client {
public:
    virtual ~login_client() = default;

    // Without a token. A refusal of one server is believed when most servers give it: one that
    // lags behind, or lost its leader, refuses what it does not know (seen with OpenBao 2.7.2).

    virtual awaitable<result<granted_token>> login(std::string role_id, secret secret_id) = 0;
    /// Where what is wrapped was made: "auth/approle/role/ROLE/secret-id".
    virtual awaitable<result<std::string>> wrapped_path(secret wrapping_token) = 0;
    /// Once.
    virtual awaitable<result<granted_secret_id>> unwrap(secret wrapping_token) = 0;

    // As `token`.

    virtual awaitable<result<token_facts>> look_up(secret token) = 0;
    virtual awaitable<result<granted_token>> renew(secret token) = 0;
    /// errc::not_found: it was revoked, used up, or has expired.
    virtual awaitable<result<secret_id_facts>> look_up_secret_id(secret token,
                                                                 secret secret_id) = 0;
    virtual awaitable<result<granted_secret_id>> make_secret_id(secret token) = 0;
    virtual awaitable<result<void>> destroy_secret_id(secret token, secret secret_id) = 0;
};

/// The settings' role is the node's own: without "NODE".
[[nodiscard]] result<std::unique_ptr<login_client>> make_login_client(
    boost::asio::any_io_executor executor, vault_config const& settings, node_config const& node);

}  // namespace bevmesh::vault
