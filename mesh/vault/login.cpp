#include "mesh/vault/login.hpp"

#include "mesh/base/json_fields.hpp"
#include "mesh/vault/codec.hpp"
#include "mesh/vault/paths.hpp"
#include "mesh/vault/transport.hpp"

namespace bevmesh::vault {
namespace {

class http_login final : public login_client {
public:
    http_login(std::unique_ptr<transport> servers, approle_config const& how)
        : servers_(std::move(servers)),
          mount_("auth/" + mount_path(how.mount)),
          role_(mount_ + "/role/" + net::percent_encode(how.role)) {}

    awaitable<result<granted_token>> login(std::string role_id, secret secret_id) override {
        auto wanted = post(mount_ + "/login", secret());
        wanted.body = json::dump({{"role_id", role_id}, {"secret_id", secret_id.reveal()}});
        wanted.doubt_wrong = true;
        return exchange(std::move(wanted), decode_token);
    }
    awaitable<result<std::string>> wrapped_path(secret wrapping_token) override {
        auto wanted = post("sys/wrapping/lookup", secret());
        wanted.body = json::dump({{"token", wrapping_token.reveal()}});
        wanted.doubt_wrong = true;
        return exchange(std::move(wanted), decode_creation_path);
    }
    awaitable<result<granted_secret_id>> unwrap(secret wrapping_token) override {
        return exchange(post("sys/wrapping/unwrap", std::move(wrapping_token)), decode_secret_id);
    }
    awaitable<result<token_facts>> look_up(secret token) override {
        auto wanted = post("auth/token/lookup-self", std::move(token));
        wanted.method = "GET";
        wanted.body.clear();
        return exchange(std::move(wanted), decode_token_facts);
    }
    awaitable<result<granted_token>> renew(secret token) override {
        return exchange(post("auth/token/renew-self", std::move(token)), decode_token);
    }
    awaitable<result<secret_id_facts>> look_up_secret_id(secret token, secret secret_id) override;
    awaitable<result<granted_secret_id>> make_secret_id(secret token) override {
        return exchange(post(role_ + "/secret-id", std::move(token)), decode_secret_id);
    }
    awaitable<result<void>> destroy_secret_id(secret token, secret secret_id) override {
        auto wanted = post(role_ + "/secret-id/destroy", std::move(token));
        wanted.body = json::dump({{"secret_id", secret_id.reveal()}});
        auto const done = co_await servers_->ask(std::move(wanted));
        if (done.has_error()) co_return done.error();
        co_return result<void>();
    }

private:
    static call post(std::string path, secret token) {
        call c;
        c.method = "POST";
        c.path = std::move(path);
        c.body = "{}";
        c.token = std::move(token);
        return c;
    }

    template <class T>
    awaitable<result<T>> exchange(call wanted, result<T> (*decode)(std::string_view)) {
        auto got = co_await servers_->ask(std::move(wanted));
        if (got.has_error()) co_return got.error();
        co_return decode(*got);
    }

    std::unique_ptr<transport> servers_;
    std::string mount_;
    std::string role_;
};

awaitable<result<secret_id_facts>> http_login::look_up_secret_id(secret token, secret secret_id) {
    auto wanted = post(role_ + "/secret-id/lookup", std::move(token));
    wanted.body = json::dump({{"secret_id", secret_id.reveal()}});
    auto const got = co_await servers_->ask(std::move(wanted));
    if (got.has_error()) co_return got.error();
    // 204 without a body.
    if (got->empty())
        co_return failure{errc::not_found, "look up the secret ID: Vault does not know it"};
    co_return decode_secret_id_facts(*got);
}

}  // namespace

std::unique_ptr<login_client> make_login_client(std::unique_ptr<transport> servers,
                                                approle_config const& how) {
    return std::make_unique<http_login>(std::move(servers), how);
}

result<std::unique_ptr<login_client>> make_login_client(boost::asio::any_io_executor executor,
                                                        vault_config const& settings,
                                                        node_config const& node) {
    auto servers = transport::make(std::move(executor), settings, node.address);
    if (servers.has_error()) return servers.error();
    return make_login_client(std::move(*servers), settings.approle);
}

}  // namespace bevmesh::vault
