#include "certs/wire.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certs/x509.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::certs {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// PostgreSQL's SSLRequest: its length, and 1234 and 5679 in place of a version.
constexpr std::array<unsigned char, 8> ssl_request{0, 0, 0, 8, 4, 210, 22, 47};

failure cannot(std::string const& what, std::string const& why) {
    ERR_clear_error();
    return {errc::local_error, what + ": " + why};
}

asio::const_buffer bytes(secret const& of) {
    return asio::buffer(of.reveal().data(), of.reveal().size());
}

asio::awaitable<result<void>> greet(tcp::socket& socket, wire_address const& where) {
    if (where.first == greeting::none) co_return result<void>();
    error_code error;
    auto const request = asio::buffer(ssl_request);
    co_await asio::async_write(socket, request, asio::redirect_error(asio::use_awaitable, error));
    char answer = 0;
    auto const into = asio::buffer(&answer, 1);
    if (!error)
        co_await asio::async_read(socket, into, asio::redirect_error(asio::use_awaitable, error));
    if (error)
        co_return failure{errc::unreachable,
                          to_string(where) + ": no answer to SSLRequest: " + error.message()};
    if (answer != 'S')
        co_return failure{errc::bad_answer, to_string(where) + ": the server has TLS switched off"};
    co_return result<void>();
}

std::string der_of(X509_NAME* name) {
    unsigned char const* bytes = nullptr;
    std::size_t size = 0;
    if (X509_NAME_get0_der(name, &bytes, &size) != 1) return {};
    return {bytes, bytes + size};
}

/// A server that keeps its old bundle names the old CAs alone.
result<void> judge_trust(SSL* connection, wire_address const& where,
                         wire_identity const& expected) {
    std::vector<std::string> named;
    auto const* const all = SSL_get0_peer_CA_list(connection);
    for (int i = 0; i < sk_X509_NAME_num(all); ++i)
        named.push_back(der_of(sk_X509_NAME_value(all, i)));
    auto const is_named = [&named](std::string const& root) {
        return std::ranges::find(named, root) != named.end();
    };
    if (named.empty() || std::ranges::all_of(expected.roots, is_named)) return {};
    return failure{errc::conflict,
                   to_string(where) + ": does not take clients of every CA of the bundle"};
}

/// The handshake's own verdict is not enough: a server whose bundle is new and whose certificate is
/// old has a good chain, too.
result<void> judge(SSL* connection, wire_address const& where, wire_identity const& expected) {
    auto* const shown = SSL_get0_peer_certificate(connection);
    if (shown == nullptr)
        return failure{errc::bad_answer, to_string(where) + ": shows no certificate"};
    auto const serial = read_leaf(shown).serial;
    if (serial != expected.serial)
        return failure{errc::conflict, to_string(where) + ": shows serial " + serial +
                                           ", expected " + expected.serial};
    std::vector<std::string> chain;
    auto* const all = SSL_get_peer_cert_chain(connection);
    for (int i = 0; i < sk_X509_num(all); ++i)
        chain.push_back(read_leaf(sk_X509_value(all, i)).serial);
    for (auto const& issuer : expected.issuers)
        if (std::ranges::find(chain, issuer) == chain.end())
            return failure{
                errc::conflict,
                to_string(where) + ": shows its certificate without the issuer " + issuer};
    return judge_trust(connection, where, expected);
}

asio::awaitable<result<void>> shake(wire_address where, wire_identity expected) {
    error_code error;
    auto const address = asio::ip::make_address(where.host, error);
    if (error) co_return failure{errc::bad_input, to_string(where) + ": is no literal address"};
    auto const executor = co_await asio::this_coro::executor;
    ssl::stream<tcp::socket> stream(executor, *expected.context);
    tcp::endpoint const peer(address, where.port);
    co_await stream.next_layer().async_connect(peer,
                                               asio::redirect_error(asio::use_awaitable, error));
    if (error)
        co_return failure{errc::unreachable, to_string(where) + ": connect: " + error.message()};
    auto const greeted = co_await greet(stream.next_layer(), where);
    if (greeted.has_error()) co_return greeted.error();
    co_await stream.async_handshake(ssl::stream_base::client,
                                    asio::redirect_error(asio::use_awaitable, error));
    auto* const native = stream.native_handle();
    auto const verdict = SSL_get_verify_result(native);
    if (!error) co_return judge(native, where, expected);
    auto const why = verdict == X509_V_OK ? error.message()
                                          : std::string(X509_verify_cert_error_string(verdict));
    ERR_clear_error();
    co_return failure{errc::unreachable, to_string(where) + ": TLS handshake: " + why};
}

std::vector<std::string> issuers_in(SSL_CTX* context) {
    STACK_OF(X509)* chain = nullptr;
    // Where Asio puts them; the macro for it hides a C cast.
    SSL_CTX_ctrl(context, SSL_CTRL_GET_EXTRA_CHAIN_CERTS, 0, &chain);
    std::vector<std::string> serials;
    for (int i = 0; i < sk_X509_num(chain); ++i)
        serials.push_back(read_leaf(sk_X509_value(chain, i)).serial);
    return serials;
}

std::vector<std::string> roots_in(SSL_CTX* context) {
    auto* const all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    std::vector<std::string> names;
    for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
        auto* const one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        if (one == nullptr) continue;
        auto* const name = X509_get_subject_name(one);
        if (X509_NAME_cmp(name, X509_get_issuer_name(one)) == 0) names.push_back(der_of(name));
    }
    return names;
}

}  // namespace

std::string to_string(wire_address const& a) {
    auto const is_v6 = a.host.find(':') != std::string::npos;
    return (is_v6 ? "[" + a.host + "]" : a.host) + ":" + std::to_string(a.port);
}

result<wire_identity> make_wire_identity(secret const& certificate, secret const& key,
                                         secret const& trusted) {
    wire_identity made;
    made.context = std::make_shared<ssl::context>(ssl::context::tls_client);
    auto* const native = made.context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    made.context->set_verify_mode(ssl::verify_peer);
    error_code error;
    if (made.context->add_certificate_authority(bytes(trusted), error); error)
        return cannot("use the trust bundle", error.message());
    if (made.context->use_certificate_chain(bytes(certificate), error); error)
        return cannot("use the certificate", error.message());
    if (made.context->use_private_key(bytes(key), ssl::context::pem, error); error)
        return cannot("use the key", error.message());
    made.serial = read_leaf(SSL_CTX_get0_certificate(native)).serial;
    made.issuers = issuers_in(native);
    made.roots = roots_in(native);
    return made;
}

asio::awaitable<result<void>> look(wire_address where, wire_identity expected, milliseconds limit) {
    auto const doing = "look at " + to_string(where);
    auto looking = shake(std::move(where), std::move(expected));
    co_return co_await net::with_deadline(std::move(looking), limit, doing);
}

}  // namespace bevmesh::certs
