#include "mesh/net/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace bevmesh::net {

namespace ssl = boost::asio::ssl;

namespace {

failure cannot_use(std::string const& what, std::string const& file,
                   boost::system::error_code const& error) {
    return {errc::local_error, "use " + what + " " + file + ": " + error.message()};
}

/// SSL_set_tlsext_host_name, whose macro hides a C cast.
bool set_server_name(SSL* connection, std::string name) {
    return SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    name.data()) == 1;
}

}  // namespace

std::vector<std::string> uri_names(X509 const* certificate) {
    std::vector<std::string> found;
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        auto const* const name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI) continue;
        auto const* const text = name->d.uniformResourceIdentifier;
        auto const* const bytes = ASN1_STRING_get0_data(text);
        found.emplace_back(bytes, bytes + ASN1_STRING_length(text));
    }
    GENERAL_NAMES_free(names);
    return found;
}

result<tls_context> make_client_context(tls_options const& options) {
    if (options.context) return options.context;
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // A peer that closes without close_notify is reported as such and judged by the message's
    // framing.
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    boost::system::error_code error;
    if (options.ca_file.empty()) {
        if (context->set_default_verify_paths(error); error) {
            return cannot_use("the system's certificates", "", error);
        }
    } else if (context->load_verify_file(options.ca_file, error); error) {
        return cannot_use("CA file", options.ca_file, error);
    }
    context->set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none);
    if (options.cert_file.empty() != options.key_file.empty()) {
        return failure{errc::bad_input, "TLS: a certificate and its key go together, got only " +
                                            options.cert_file + options.key_file};
    }
    if (options.cert_file.empty()) return context;
    if (context->use_certificate_chain_file(options.cert_file, error); error) {
        return cannot_use("certificate", options.cert_file, error);
    }
    if (context->use_private_key_file(options.key_file, ssl::context::pem, error); error) {
        return cannot_use("key", options.key_file, error);
    }
    if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
        ERR_clear_error();
        return failure{errc::local_error, "use key " + options.key_file +
                                              ": it does not fit certificate " + options.cert_file};
    }
    return context;
}

result<void> prepare_peer(SSL* connection, tls_identity const& identity) {
    if (!identity.server_uri.empty()) return {};  // by the stream, in the handshake
    boost::system::error_code not_literal;
    boost::asio::ip::make_address(identity.server_name, not_literal);
    auto const* const name = identity.server_name.c_str();
    bool done = true;
    if (not_literal) done = set_server_name(connection, identity.server_name);
    if (identity.verify) {
        if (not_literal) {
            SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
            done = done && SSL_set1_host(connection, name) == 1;
        } else {
            done = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), name) == 1;
        }
    }
    if (done) return {};
    ERR_clear_error();
    return failure{errc::bad_input, "TLS: cannot verify against the name " + identity.server_name};
}

std::string handshake_failure(SSL* connection, boost::system::error_code const& error) {
    auto const verdict = SSL_get_verify_result(connection);
    if (verdict == X509_V_OK) return "TLS handshake: " + error.message();
    return "TLS: certificate not accepted: " + std::string(X509_verify_cert_error_string(verdict));
}

}  // namespace bevmesh::net
