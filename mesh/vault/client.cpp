#include "mesh/vault/client.hpp"

#include <algorithm>

#include "mesh/vault/codec.hpp"
#include "mesh/vault/paths.hpp"
#include "mesh/vault/transport.hpp"

namespace bevmesh::vault {
namespace {

class http_vault final : public client {
public:
    http_vault(std::unique_ptr<transport> servers, vault_config settings)
        : servers_(std::move(servers)), settings_(std::move(settings)) {}

    awaitable<result<signed_certificate>> sign(sign_request wanted) override;
    awaitable<result<pki_role>> role() override {
        auto got = co_await known("GET", settings_.pki.mount + "/roles/" + role_name(""), "");
        if (got.has_error()) co_return got.error();
        co_return decode_role(*got);
    }
    awaitable<result<kv_secret>> read_secret(std::string mount, std::string path) override {
        auto got = co_await known("GET", mount_path(mount) + "/data/" + encoded_path(path), "");
        if (got.has_error()) co_return got.error();
        co_return decode_kv(*got);
    }
    awaitable<result<std::vector<issuer_entry>>> issuers() override;
    awaitable<result<std::string>> crls() override;
    awaitable<std::vector<node_report>> health() override { return servers_->health(); }

    void set_token(secret token) override { token_ = std::move(token); }
    bool has_token() const noexcept override { return !token_.empty(); }
    void on_unknown_token(std::function<awaitable<bool>(secret)> mend) override {
        mend_ = std::move(mend);
    }

private:
    std::string role_name(std::string const& own) const {
        return net::percent_encode(own.empty() ? settings_.pki.role : own);
    }
    /// With the token; once more with another when that one is not known any more.
    awaitable<result<std::string>> known(std::string method, std::string path, std::string body);
    awaitable<result<std::string>> open_to_all(std::string path);
    awaitable<result<void>> add_issuers(std::string mount, std::vector<issuer_entry>& into);

    std::unique_ptr<transport> servers_;
    vault_config settings_;
    secret token_;
    std::function<awaitable<bool>(secret)> mend_;
};

awaitable<result<std::string>> http_vault::known(std::string method, std::string path,
                                                 std::string body) {
    call wanted;
    wanted.method = std::move(method);
    wanted.path = std::move(path);
    wanted.body = std::move(body);
    wanted.token = token_;
    if (wanted.token.empty())
        co_return failure{errc::forbidden,
                          wanted.method + " /v1/" + wanted.path + ": not logged in to Vault"};
    auto first = co_await servers_->exchange(wanted);
    if (!first.token_unknown || !mend_) co_return std::move(first.body);
    bool const mended = co_await mend_(wanted.token);
    if (!mended || token_.empty()) co_return std::move(first.body);
    wanted.token = token_;
    co_return co_await servers_->ask(std::move(wanted));
}

awaitable<result<std::string>> http_vault::open_to_all(std::string path) {
    call wanted;
    wanted.path = std::move(path);
    return servers_->ask(std::move(wanted));
}

awaitable<result<signed_certificate>> http_vault::sign(sign_request wanted) {
    auto path = settings_.pki.mount;
    if (!wanted.issuer.empty()) path += "/issuer/" + net::percent_encode(wanted.issuer);
    path += "/sign/" + role_name(wanted.role);
    auto got = co_await known("POST", std::move(path), encode_sign(wanted));
    if (got.has_error()) co_return got.error();
    co_return decode_signed(*got);
}

awaitable<result<void>> http_vault::add_issuers(std::string mount,
                                                std::vector<issuer_entry>& into) {
    auto const listed = co_await open_to_all(mount + "/issuers?list=true");
    if (listed.has_error()) {
        // A mount without issuers.
        if (listed.error().code == errc::not_found) co_return result<void>();
        co_return listed.error();
    }
    auto found = decode_issuers(*listed);
    if (found.has_error()) co_return found.error();
    for (auto& entry : *found) {
        if (entry.name.starts_with(retired_prefix)) continue;
        auto const path = mount + "/issuer/" + net::percent_encode(entry.id);
        auto pem = co_await open_to_all(path + "/pem");
        if (pem.has_error()) co_return pem.error();
        entry.certificate = trimmed_pem(*pem);
        auto const same = [&](issuer_entry const& e) { return e.certificate == entry.certificate; };
        if (std::ranges::none_of(into, same)) into.push_back(std::move(entry));
    }
    co_return result<void>();
}

awaitable<result<std::vector<issuer_entry>>> http_vault::issuers() {
    std::vector<issuer_entry> all;
    for (auto const& mount : {settings_.pki.mount, settings_.pki.root_mount}) {
        if (mount.empty()) continue;
        auto const added = co_await add_issuers(mount, all);
        if (added.has_error()) co_return added.error();
    }
    if (all.empty())
        co_return failure{errc::not_found, "issuers of " + settings_.pki.mount +
                                               ": none; `bevmesh vault bootstrap` makes them"};
    co_return all;
}

awaitable<result<std::string>> http_vault::crls() {
    std::string all;
    for (auto const& mount : {settings_.pki.mount, settings_.pki.root_mount}) {
        if (mount.empty()) continue;
        auto const listed = co_await open_to_all(mount + "/issuers?list=true");
        // A mount without issuers.
        if (listed.has_error() && listed.error().code == errc::not_found) continue;
        if (listed.has_error()) co_return listed.error();
        auto const found = decode_issuers(*listed);
        if (found.has_error()) co_return found.error();
        for (auto const& entry : *found) {
            if (entry.name.starts_with(retired_prefix)) continue;
            auto const path = mount + "/issuer/" + net::percent_encode(entry.id);
            auto pem = co_await open_to_all(path + "/crl/pem");
            // One whose key is elsewhere signs none here.
            if (pem.has_error() && pem.error().code == errc::not_found) continue;
            if (pem.has_error()) co_return pem.error();
            all += trimmed_pem(*pem) + "\n";
        }
    }
    co_return all;
}

}  // namespace

bool is_transient(failure const& f) noexcept {
    switch (f.code) {
        case errc::remote_error:
        case errc::timed_out:
        case errc::truncated:
        case errc::unreachable:
        case errc::bad_answer:
        case errc::conflict:
            return true;
        case errc::bad_input:
        case errc::canceled:
        case errc::forbidden:
        case errc::local_error:
        case errc::not_found:
        case errc::too_large:
            return false;
    }
    return false;
}

std::unique_ptr<client> make_client(std::unique_ptr<transport> servers,
                                    vault_config const& settings) {
    return std::make_unique<http_vault>(std::move(servers), settings);
}

result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                            vault_config const& settings, node_config const& node) {
    auto servers = transport::make(std::move(executor), settings, node.address);
    if (servers.has_error()) return servers.error();
    return make_client(std::move(*servers), settings);
}

}  // namespace bevmesh::vault
