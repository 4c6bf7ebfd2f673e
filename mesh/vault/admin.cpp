#include "mesh/vault/admin.hpp"

#include "mesh/base/json_fields.hpp"
#include "mesh/vault/codec.hpp"
#include "mesh/vault/paths.hpp"
#include "mesh/vault/transport.hpp"

namespace bevmesh::vault {
namespace {

using nlohmann::json;

class http_admin final : public admin {
public:
    http_admin(std::unique_ptr<transport> servers, secret token)
        : servers_(std::move(servers)), token_(std::move(token)) {}

    awaitable<result<token_facts>> self() override {
        auto const got = co_await servers_->ask(to("GET", "auth/token/lookup-self"));
        if (got.has_error()) co_return got.error();
        co_return decode_token_facts(*got);
    }
    awaitable<result<std::optional<json>>> read(std::string path) override;
    awaitable<result<void>> write(std::string method, std::string path, json body) override {
        auto wanted = to(std::move(method), encoded_path(path));
        wanted.body = bevmesh::json::dump(body);
        auto const done = co_await servers_->ask(std::move(wanted));
        if (done.has_error()) co_return done.error();
        co_return result<void>();
    }
    awaitable<result<std::size_t>> count_secret_ids(std::string role_path) override;
    awaitable<result<secret>> make_secret_id(std::string role_path, seconds wrap) override;

private:
    call to(std::string method, std::string path) const {
        call c;
        c.method = std::move(method);
        c.path = std::move(path);
        c.token = token_;
        return c;
    }

    std::unique_ptr<transport> servers_;
    secret token_;
};

awaitable<result<std::optional<json>>> http_admin::read(std::string path) {
    auto const got = co_await servers_->ask(to("GET", encoded_path(path)));
    if (got.has_error()) {
        if (got.error().code == errc::not_found) co_return std::optional<json>();
        co_return got.error();
    }
    auto data = bevmesh::json::decode(*got, path, [](json const& v) {
        return std::optional<json>(bevmesh::json::member(v, "data"));
    });
    co_return data;
}

awaitable<result<std::size_t>> http_admin::count_secret_ids(std::string role_path) {
    auto const got =
        co_await servers_->ask(to("GET", encoded_path(role_path) + "/secret-id?list=true"));
    if (got.has_error()) {
        if (got.error().code == errc::not_found) co_return std::size_t{0};
        co_return got.error();
    }
    co_return bevmesh::json::decode(*got, "the secret IDs' accessors", [](json const& v) {
        return bevmesh::json::text_list(bevmesh::json::member(v, "data"), "keys").size();
    });
}

awaitable<result<secret>> http_admin::make_secret_id(std::string role_path, seconds wrap) {
    auto wanted = to("POST", encoded_path(role_path) + "/secret-id");
    wanted.body = "{}";
    wanted.wrap = wrap;
    auto const got = co_await servers_->ask(std::move(wanted));
    if (got.has_error()) co_return got.error();
    if (wrap.count() > 0) co_return decode_wrapped(*got);
    auto made = decode_secret_id(*got);
    if (made.has_error()) co_return made.error();
    co_return std::move(made->secret_id);
}

}  // namespace

result<std::unique_ptr<admin>> make_admin(boost::asio::any_io_executor executor,
                                          vault_config const& settings, secret token) {
    auto servers = transport::make(std::move(executor), settings, "");
    if (servers.has_error()) return servers.error();
    (*servers)->follow_active();
    return std::unique_ptr<admin>(
        std::make_unique<http_admin>(std::move(*servers), std::move(token)));
}

}  // namespace bevmesh::vault
