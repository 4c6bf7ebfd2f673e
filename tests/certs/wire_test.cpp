// What a TLS server shows, against what it should.
#include "certs/wire.hpp"

#include <array>
#include <functional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/pem.h>

#include "tests/catch.hpp"
#include "tests/certs/issuer.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::asio::awaitable;
using boost::system::error_code;

namespace {

struct pair {
    std::string certificate;
    std::vector<std::string> chain;
    secret key;
    std::string root;

    [[nodiscard]] secret with_chain() const {
        auto text = certificate;
        for (auto const& each : chain)
            text += each;
        return secret(text);
    }
};

pair issue(test::issuer& by) {
    auto const key = *private_key::make();
    auto got = by.sign(*key.request({"redis", {"redis.service.consul"}, {}, {}}));
    return {got.certificate, got.chain, key.pkcs8(), by.root()};
}

wire_identity identity_of(pair const& p) {
    return *make_wire_identity(p.with_chain(), p.key, secret(p.root));
}

std::shared_ptr<ssl::context> server_context(secret const& certificate, pair const& p) {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
    made->use_certificate_chain(
        asio::buffer(certificate.reveal().data(), certificate.reveal().size()));
    made->use_private_key(asio::buffer(p.key.reveal().data(), p.key.reveal().size()),
                          ssl::context::pem);
    made->add_certificate_authority(asio::buffer(p.root));
    made->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    return made;
}

// Serves one connection; `greets`: speaks PostgreSQL's SSLRequest first and answers this.
awaitable<void> serve(tcp::acceptor& acceptor, std::shared_ptr<ssl::context> context, char greets) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    error_code error;
    std::array<unsigned char, 8> request{};
    if (greets != 0) {
        auto const into = asio::buffer(request);
        co_await asio::async_read(socket, into, asio::redirect_error(asio::use_awaitable, error));
        std::array<unsigned char, 8> const expected{0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f};
        CHECK(request == expected);
        auto const answer = asio::buffer(&greets, 1);
        co_await asio::async_write(socket, answer,
                                   asio::redirect_error(asio::use_awaitable, error));
    }
    ssl::stream<tcp::socket> stream(std::move(socket), *context);
    co_await stream.async_handshake(ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    char byte = 0;
    auto const rest = asio::buffer(&byte, 1);
    co_await stream.async_read_some(rest, asio::redirect_error(asio::use_awaitable, error));
}

awaitable<void> look_into(result<void>* seen, wire_address where, wire_identity expected) {
    auto const limit = milliseconds(5'000);
    *seen = co_await look(std::move(where), std::move(expected), limit);
}

// Why the server's certificate is not the expected one; empty: it is.
std::string seen(std::shared_ptr<ssl::context> server, wire_identity const& expected,
                 char greets = 0, greeting first = greeting::none) {
    asio::io_context loop(1);
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    wire_address const where{"127.0.0.1", acceptor.local_endpoint().port(), first};
    asio::co_spawn(loop, serve(acceptor, std::move(server), greets), asio::detached);
    result<void> done;
    testing::run(loop, look_into(&done, where, expected));
    loop.restart();
    loop.run();
    if (done.has_value()) return {};
    auto const& why = done.error().doing;
    return why.substr(why.find(": ") + 2);
}

}  // namespace

TEST_CASE("a server that shows the certificate and its chain is as expected") {
    test::issuer by;
    auto const own = issue(by);
    CHECK(seen(server_context(own.with_chain(), own), identity_of(own)) == "");
}

TEST_CASE("a server that kept its old certificate is found, though its chain is good") {
    test::issuer by;
    auto const old = issue(by);
    auto const fresh = issue(by);
    CHECK(seen(server_context(old.with_chain(), old), identity_of(fresh)) ==
          "shows serial abcd01, expected abcd02");
}

TEST_CASE("a server that does not send the chain is found") {
    test::issuer by;
    auto const own = issue(by);
    auto const server = server_context(secret(own.certificate), own);
    CHECK(seen(server, identity_of(own)).starts_with("TLS handshake: unable to get"));
    // Also where our bundle has the issuer, and the handshake is good without.
    auto wide = *make_wire_identity(own.with_chain(), own.key, secret(own.root + own.chain.at(0)));
    CHECK(seen(server, wire_identity(wide)) == "shows its certificate without the issuer 02");
}

TEST_CASE("a server of another CA is refused") {
    test::issuer by;
    test::issuer stranger("stranger");
    auto const own = issue(by);
    auto const other = issue(stranger);
    CHECK(seen(server_context(other.with_chain(), other), identity_of(own))
              .starts_with("TLS handshake: "));
}

TEST_CASE("a server that names the CAs whose clients it takes names every root of the bundle") {
    test::issuer by("old");
    test::issuer next("new");
    auto own = issue(by);
    auto const server = server_context(own.with_chain(), own);
    auto const names = [&server](std::vector<std::string> const& roots) {
        for (auto const& root : roots) {
            std::unique_ptr<BIO, decltype(&BIO_free_all)> const from(
                BIO_new_mem_buf(root.data(), static_cast<int>(root.size())), &BIO_free_all);
            std::unique_ptr<X509, decltype(&X509_free)> const one(
                PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr), &X509_free);
            SSL_CTX_add_client_CA(server->native_handle(), one.get());
        }
    };
    own.root += next.root();
    // It names none: nothing can be seen.
    CHECK(seen(server, identity_of(own)) == "");
    names({by.root()});
    CHECK(seen(server, identity_of(own)) == "does not take clients of every CA of the bundle");
    names({next.root()});
    CHECK(seen(server, identity_of(own)) == "");
}

TEST_CASE("PostgreSQL is asked for TLS in its own words first") {
    test::issuer by;
    auto const own = issue(by);
    auto const server = server_context(own.with_chain(), own);
    CHECK(seen(server, identity_of(own), 'S', greeting::postgres) == "");
    CHECK(seen(server, identity_of(own), 'N', greeting::postgres) ==
          "the server has TLS switched off");
}

TEST_CASE("an address where nobody listens, and one that is none, are told") {
    test::issuer by;
    auto const own = identity_of(issue(by));
    asio::io_context loop(1);
    auto const at = [&](std::string host, std::uint16_t port) {
        result<void> done;
        wire_address const where{std::move(host), port, greeting::none};
        testing::run(loop, look_into(&done, where, own));
        return done.error();
    };
    CHECK(at("127.0.0.1", 1).code == errc::unreachable);
    CHECK(at("redis", 1).code == errc::bad_input);
}
