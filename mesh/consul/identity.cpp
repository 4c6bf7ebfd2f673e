#include "mesh/consul/identity.hpp"

#include <ctime>
#include <filesystem>
#include <utility>

#include <openssl/x509_vfy.h>

#include "mesh/base/own_certificate.hpp"

namespace bevmesh::consul {
namespace {

bool serves(net::mutual_tls const& own) {
    return own.context && own.expires > static_cast<std::int64_t>(std::time(nullptr));
}

}  // namespace

identity::identity(consul_config const& settings, teller tell) : tell_(std::move(tell)) {
    files_.ca_file = settings.ca_file;
    files_.cert_file = settings.cert_file;
    files_.key_file = settings.key_file;
}

result<std::shared_ptr<identity>> identity::make(consul_config const& settings,
                                                 std::string const& state_dir, teller tell) {
    std::shared_ptr<identity> made(new identity(settings, std::move(tell)));
    if (!settings.address.starts_with("https://")) return made;
    if (settings.certificates == "vault") {
        auto const own = own_certificate_in(state_dir);
        made->vault_ = {own.certificate, own.key, own.trusted};
        if (settings.ca_file.empty()) return made;
    }
    auto configured = net::make_client_context(made->files_);
    if (configured)
        made->configured_ = std::move(*configured);
    else if (made->by_vault() && made->load())
        made->tell_once(false, "without files of the configuration: " + configured.error().doing);
    else
        return configured.error();
    return made;
}

result<net::tls_context> identity::context() {
    if (!by_vault()) return configured_;
    if (serves(own_)) return own_.context;
    auto const loaded = renew();
    if (loaded) return own_.context;
    if (!configured_) return loaded.error();
    tell_once(false, "by the files of the configuration: " + loaded.error().doing);
    return configured_;
}

result<net::tls_context> identity::context_for_ended() const {
    auto own = by_vault() ? load() : result<net::mutual_tls>(net::mutual_tls());
    result<net::tls_context> made = own ? std::move(own->context) : nullptr;
    // One of its own: nobody else has its flags.
    if (!*made && configured_) made = net::make_client_context(files_);
    if (!made) return made.error();
    if (!*made) return own.error();
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param((*made)->native_handle()),
                                X509_V_FLAG_NO_CHECK_TIME);
    return made;
}

result<void> identity::renew() {
    if (!by_vault()) return {};
    auto fresh = load();
    if (!fresh) return fresh.error();
    own_ = std::move(*fresh);
    tell_once(true, "by the daemon's own certificate of Vault");
    return {};
}

result<net::mutual_tls> identity::load() const {
    std::error_code unknown;
    if (!std::filesystem::exists(vault_.certificate, unknown) && !unknown)
        return failure{errc::local_error,
                       "this node has no certificate of Vault yet (" + vault_.certificate + ")"};
    auto own = net::load_mutual_tls(vault_);
    if (!own || !configured_) return own;
    auto both = beside_files(std::move(*own));
    // Files that went away since the start have no need to serve any more.
    return both ? std::move(both) : net::load_mutual_tls(vault_);
}

result<net::mutual_tls> identity::beside_files(net::mutual_tls own) const {
    if (!files_.cert_file.empty()) {
        auto context = net::make_client_context(files_);
        if (!context) return context.error();
        net::mutual_tls second;
        second.context = std::move(*context);
        return net::show_either(std::move(own), std::move(second));
    }
    boost::system::error_code error;
    if (own.context->load_verify_file(files_.ca_file, error); error)
        return failure{errc::local_error, "use CA file " + files_.ca_file + ": " + error.message()};
    return own;
}

void identity::tell_once(bool well, std::string const& text) {
    if (text != std::exchange(told_, text) && tell_) tell_(well, text);
}

result<net::http_client_options> options_for(consul_config const& settings,
                                             std::shared_ptr<identity> as) {
    auto peer = net::parse_endpoint(settings.address, 8500);
    if (!peer) return peer.error();
    net::http_client_options options;
    options.peer = std::move(*peer);
    options.tls.server_name = settings.server_name;
    options.tls.current = [as = std::move(as)] { return as->context(); };
    return options;
}

}  // namespace bevmesh::consul
