// Asks the servers of the configuration, one after the other as route.hpp says, until one answers.
//
// Internal to mesh/vault. No redirect is followed to where the configuration does not point: it
// would take a token there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/net/http.hpp"
#include "mesh/vault/route.hpp"
#include "mesh/vault/types.hpp"

namespace bevmesh::vault {

using net::awaitable;

struct call {
    std::string method = "GET";
    std::string path;  // below /v1/, encoded
    std::string body;  // JSON
    secret token;      // empty: none
    seconds wrap{0};   // the answer comes wrapped, for so long
    bool doubt_wrong = false;
};

class transport {
public:
    [[nodiscard]] static result<std::unique_ptr<transport>> make(
        boost::asio::any_io_executor executor, vault_config const& settings,
        std::string const& near);

    /// From now on the active server is asked first. A standby lags behind: what was just made is
    /// not there yet (seen with OpenBao 2.7.2: 404 for a mount that the same client made).
    void follow_active() noexcept { follows_ = true; }

    struct reply {
        result<std::string> body;    // of a good answer
        bool token_unknown = false;  // most servers do not know the call's token
    };
    awaitable<reply> exchange(call wanted);
    /// Only the body.
    awaitable<result<std::string>> ask(call wanted);
    /// The health of each, side by side.
    awaitable<std::vector<node_report>> health();

    /// `first`: the index of the server that is tried first.
    transport(std::vector<std::unique_ptr<net::http_client>> servers, std::string space,
              std::size_t first);

private:
    [[nodiscard]] net::http_request request_for(call const& wanted) const;
    awaitable<std::vector<std::size_t>> order();

    std::vector<std::unique_ptr<net::http_client>> servers_;
    std::vector<std::string> origins_;
    std::string space_;
    address_book book_;
    bool follows_ = false;
    std::optional<std::size_t> active_;
};

class client;
class login_client;
class authority;
[[nodiscard]] std::unique_ptr<client> make_client(std::unique_ptr<transport> servers,
                                                  vault_config const& settings);
[[nodiscard]] std::unique_ptr<login_client> make_login_client(std::unique_ptr<transport> servers,
                                                              approle_config const& how);
[[nodiscard]] std::unique_ptr<authority> make_authority(std::unique_ptr<transport> servers,
                                                        vault_config const& settings, secret token);

}  // namespace bevmesh::vault
