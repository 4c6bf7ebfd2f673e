// Vault's API as `bevmesh vault bootstrap` needs it: documents at paths, with an administrator's
// token.
//
// Apart from `client`, so that the daemon, whose token may do none of this, has no call for it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "mesh/base/config.hpp"
#include "mesh/vault/login.hpp"

namespace bevmesh::vault {

class admin {
public:
    virtual ~admin() = default;

    /// Whose token it is; errc::forbidden where Vault knows none.
    virtual awaitable<result<token_facts>> self() = 0;
    /// "data" of the document; nothing where there is none.
    virtual awaitable<result<std::optional<nlohmann::json>>> read(std::string path) = 0;
    virtual awaitable<result<void>> write(std::string method, std::string path,
                                          nlohmann::json body) = 0;
    /// How many live ones the AppRole at this path has.
    virtual awaitable<result<std::size_t>> count_secret_ids(std::string role_path) = 0;
    /// With `wrap`: a wrapping token, of use once and so long.
    virtual awaitable<result<secret>> make_secret_id(std::string role_path, seconds wrap) = 0;
};

[[nodiscard]] result<std::unique_ptr<admin>> make_admin(boost::asio::any_io_executor executor,
                                                        vault_config const& settings, secret token);

}  // namespace bevmesh::vault
