// Consul's ACL API, for the one command that makes policies and tokens.
//
// Apart from `client`, so that the daemon, whose token may do none of this, has no call for it.
// Failures are as in client.hpp; classify() of acl.hpp says what a refusal means.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/consul/acl.hpp"
#include "mesh/consul/identity.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::consul {

class acl_client {
public:
    virtual ~acl_client() = default;

    /// The token that this secret is; forbidden and unknown_token where Consul knows none.
    virtual net::awaitable<result<acl_token>> token_of(secret presented) = 0;

    // All below as the management token.
    virtual net::awaitable<result<std::vector<acl_policy>>> policies() = 0;
    virtual net::awaitable<result<acl_policy>> policy(std::string id) = 0;
    /// Makes it, or changes the one with its ID.
    virtual net::awaitable<result<acl_policy>> put_policy(acl_policy policy) = 0;
    virtual net::awaitable<result<std::vector<acl_token>>> tokens() = 0;
    /// With its secret.
    virtual net::awaitable<result<acl_token>> token(std::string accessor) = 0;
    /// Makes it, or changes description and policies of the one with its accessor; with its secret.
    virtual net::awaitable<result<acl_token>> put_token(acl_token token) = 0;

    /// The first management token of a cluster that has none, with this secret (a UUID): so that it
    /// can be in a file before Consul knows it.
    virtual net::awaitable<result<acl_token>> bootstrap(secret chosen) = 0;

    virtual void set_management(secret token) = 0;
    [[nodiscard]] virtual net::endpoint const& peer() const noexcept = 0;
};

/// `as`: made of the same settings.
[[nodiscard]] result<std::unique_ptr<acl_client>> make_acl_client(
    boost::asio::any_io_executor executor, consul_config const& settings,
    std::shared_ptr<identity> as, secret management);

}  // namespace bevmesh::consul
