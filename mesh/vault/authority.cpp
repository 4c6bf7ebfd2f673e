// An operator's part of Vault's API: issuers and revocation.
#include "mesh/base/json_fields.hpp"
#include "mesh/vault/client.hpp"
#include "mesh/vault/codec.hpp"
#include "mesh/vault/paths.hpp"
#include "mesh/vault/transport.hpp"

namespace bevmesh::vault {
namespace {

std::string ttl_text(seconds ttl) {
    return std::to_string(ttl.count()) + "s";
}

class http_authority final : public authority {
public:
    http_authority(std::unique_ptr<transport> servers, vault_pki_config pki, secret token)
        : servers_(std::move(servers)), pki_(std::move(pki)), token_(std::move(token)) {}

    awaitable<result<std::vector<issuer_details>>> issuers(std::string mount) override;
    awaitable<result<std::string>> default_issuer(std::string mount) override {
        auto got = co_await ask("GET", mount + "/config/issuers", json::value());
        if (got.has_error()) co_return got.error();
        co_return decode_default_issuer(*got);
    }
    awaitable<result<void>> set_default_issuer(std::string mount, std::string ref) override {
        return change("POST", mount + "/config/issuers", {{"default", std::move(ref)}});
    }
    awaitable<result<issuer_details>> rotate_root(std::string common_name, std::string name,
                                                  seconds ttl) override;
    awaitable<result<issuer_details>> new_intermediate(std::string common_name, std::string name,
                                                       std::string root, seconds ttl) override;
    awaitable<result<void>> retire_issuer(std::string mount, std::string ref) override;
    awaitable<result<void>> restore_issuer(std::string mount, std::string ref) override;
    awaitable<result<void>> delete_issuer(std::string mount, std::string ref) override {
        auto path = mount + "/issuer/" + net::percent_encode(ref);
        return change("DELETE", std::move(path), json::value());
    }
    awaitable<result<revocation>> revoke(std::string certificate) override {
        return revoke_by({{"certificate", std::move(certificate)}});
    }
    awaitable<result<revocation>> revoke_serial(std::string serial) override {
        return revoke_by({{"serial_number", std::move(serial)}});
    }
    void set_token(secret token) override { token_ = std::move(token); }

private:
    awaitable<result<std::string>> ask(std::string method, std::string path, json::value body) {
        call wanted;
        wanted.method = std::move(method);
        wanted.path = std::move(path);
        if (!body.is_null()) wanted.body = json::dump(body);
        wanted.token = token_;
        return servers_->ask(std::move(wanted));
    }
    awaitable<result<void>> change(std::string method, std::string path, json::value body) {
        auto const done = co_await ask(std::move(method), std::move(path), std::move(body));
        if (done.has_error()) co_return done.error();
        co_return result<void>();
    }
    awaitable<result<issuer_details>> details(std::string mount, std::string ref) {
        auto const got =
            co_await ask("GET", mount + "/issuer/" + net::percent_encode(ref), json::value());
        if (got.has_error()) co_return got.error();
        co_return decode_issuer(*got);
    }
    awaitable<result<void>> patch(std::string mount, std::string ref, json::value fields);
    awaitable<result<revocation>> revoke_by(json::value which);

    std::unique_ptr<transport> servers_;
    vault_pki_config pki_;
    secret token_;
};

awaitable<result<std::vector<issuer_details>>> http_authority::issuers(std::string mount) {
    std::vector<issuer_details> all;
    auto const listed = co_await ask("GET", mount + "/issuers?list=true", json::value());
    if (listed.has_error()) {
        // A mount without issuers.
        if (listed.error().code == errc::not_found) co_return all;
        co_return listed.error();
    }
    auto const found = decode_issuers(*listed);
    if (found.has_error()) co_return found.error();
    for (auto const& entry : *found) {
        auto ref = entry.id;
        auto is = co_await details(mount, std::move(ref));
        if (is.has_error()) co_return is.error();
        all.push_back(std::move(*is));
    }
    co_return all;
}

/// A POST to an issuer resets what it does not name: what is there goes with it.
awaitable<result<void>> http_authority::patch(std::string mount, std::string ref,
                                              json::value fields) {
    auto const is = co_await details(mount, ref);
    if (is.has_error()) co_return is.error();
    json::value body{{"issuer_name", is->name},
                     {"leaf_not_after_behavior", is->leaf_not_after_behavior},
                     {"usage", is->usage}};
    body.update(fields);
    auto path = mount + "/issuer/" + net::percent_encode(ref);
    co_return co_await change("POST", std::move(path), std::move(body));
}

awaitable<result<issuer_details>> http_authority::rotate_root(std::string common_name,
                                                              std::string name, seconds ttl) {
    json::value body{{"common_name", common_name},
                     {"issuer_name", name},
                     {"key_type", "ec"},
                     {"key_bits", 256},
                     {"ttl", ttl_text(ttl)}};
    auto const made =
        co_await ask("POST", pki_.root_mount + "/" + "root/rotate/internal", std::move(body));
    if (made.has_error()) co_return made.error();
    auto id = decode_new_root(*made);
    if (id.has_error()) co_return id.error();
    co_return co_await details(pki_.root_mount, std::move(*id));
}

awaitable<result<void>> http_authority::retire_issuer(std::string mount, std::string ref) {
    auto const is = co_await details(mount, ref);
    if (is.has_error()) co_return is.error();
    if (is->name.starts_with(retired_prefix)) co_return result<void>();
    auto const own = is->name.empty() ? is->id : is->name;
    json::value named{{"issuer_name", std::string(retired_prefix) + own}};
    co_return co_await patch(std::move(mount), std::move(ref), std::move(named));
}

awaitable<result<void>> http_authority::restore_issuer(std::string mount, std::string ref) {
    auto const is = co_await details(mount, ref);
    if (is.has_error()) co_return is.error();
    if (!is->name.starts_with(retired_prefix)) co_return result<void>();
    json::value named{{"issuer_name", is->name.substr(retired_prefix.size())}};
    co_return co_await patch(std::move(mount), std::move(ref), std::move(named));
}

/// Its key is made in Vault and stays there; the root's certificate comes into the mount beside it,
/// so that the mount knows the whole chain.
awaitable<result<issuer_details>> http_authority::new_intermediate(std::string common_name,
                                                                   std::string name,
                                                                   std::string root, seconds ttl) {
    json::value key{{"common_name", common_name}, {"key_type", "ec"}, {"key_bits", 256}};
    auto const made =
        co_await ask("POST", pki_.mount + "/intermediate/generate/internal", std::move(key));
    if (made.has_error()) co_return made.error();
    auto const csr = decode_csr(*made);
    if (csr.has_error()) co_return csr.error();
    json::value body{{"csr", *csr},
                     {"common_name", common_name},
                     {"ttl", ttl_text(ttl)},
                     {"max_path_length", 0}};
    auto const issuer = root.empty() ? std::string("default") : net::percent_encode(root);
    auto path = pki_.root_mount + "/issuer/" + issuer + "/sign-intermediate";
    auto const signed_one = co_await ask("POST", std::move(path), std::move(body));
    if (signed_one.has_error()) co_return signed_one.error();
    auto const both = decode_signed_intermediate(*signed_one);
    if (both.has_error()) co_return both.error();
    json::value chain{
        {"certificate", trimmed_pem(both->certificate) + "\n" + trimmed_pem(both->issuing_ca)}};
    auto const imported =
        co_await ask("POST", pki_.mount + "/intermediate/set-signed", std::move(chain));
    if (imported.has_error()) co_return imported.error();
    auto id = decode_imported(*imported);
    if (id.has_error()) co_return id.error();
    json::value named{{"issuer_name", name}};
    auto mount = pki_.mount;
    auto ref = *id;
    auto const done = co_await patch(std::move(mount), std::move(ref), std::move(named));
    if (done.has_error()) co_return done.error();
    co_return co_await details(pki_.mount, std::move(*id));
}

awaitable<result<revocation>> http_authority::revoke_by(json::value which) {
    auto const done = co_await ask("POST", pki_.mount + "/revoke", std::move(which));
    if (done.has_error()) co_return done.error();
    auto told = decode_revocation(*done);
    if (told.has_error()) co_return told.error();
    // CRLs are made anew before they end, and otherwise only when they are told to be.
    auto const renewed = co_await ask("GET", pki_.mount + "/crl/rotate", json::value());
    if (renewed.has_error()) co_return renewed.error();
    co_return told;
}

}  // namespace

std::unique_ptr<authority> make_authority(std::unique_ptr<transport> servers,
                                          vault_config const& settings, secret token) {
    return std::make_unique<http_authority>(std::move(servers), settings.pki, std::move(token));
}

result<std::unique_ptr<authority>> make_authority(boost::asio::any_io_executor executor,
                                                  vault_config const& settings, secret token) {
    auto servers = transport::make(std::move(executor), settings, "");
    if (servers.has_error()) return servers.error();
    (*servers)->follow_active();
    return make_authority(std::move(*servers), settings, std::move(token));
}

}  // namespace bevmesh::vault
