// Whom the client accepts over TLS, and as whom it presents itself.
#include <array>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/catch.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

struct tls_behaviour {
    std::string reply;
    bool close_notify = true;
};

awaitable<void> serve_one(tcp::socket socket, ssl::context& context, tls_behaviour behaviour,
                          std::string& server_name) {
    ssl::stream<tcp::socket> stream(std::move(socket), context);
    error_code error;
    co_await stream.async_handshake(ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    auto const* const name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    server_name = name == nullptr ? "" : name;
    std::array<char, 4096> buffer{};
    co_await stream.async_read_some(asio::buffer(buffer),
                                    asio::redirect_error(asio::use_awaitable, error));
    co_await asio::async_write(stream, asio::buffer(behaviour.reply),
                               asio::redirect_error(asio::use_awaitable, error));
    if (behaviour.close_notify) {
        co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
    }
}

class tls_server {
public:
    tls_server(asio::io_context& loop, issued const& identity, tls_behaviour behaviour,
               std::string const& client_ca = "")
        : acceptor_(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          group_(loop.get_executor(), nullptr) {
        context_.use_certificate_chain_file(identity.cert_file);
        context_.use_private_key_file(identity.key_file, ssl::context::pem);
        if (!client_ca.empty()) {
            context_.load_verify_file(client_ca);
            context_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
        }
        group_.spawn(accept_all(*this, std::move(behaviour)), "accept");
    }

    net::endpoint where(std::string host) const {
        net::endpoint e;
        e.transport = net::endpoint::kind::tls;
        e.host = std::move(host);
        e.port = acceptor_.local_endpoint().port();
        return e;
    }
    ~tls_server() { acceptor_.close(); }
    std::string server_name;

private:
    static awaitable<void> accept_all(tls_server& s, tls_behaviour behaviour) {
        for (;;) {
            auto socket = co_await s.acceptor_.async_accept(asio::use_awaitable);
            s.group_.spawn(serve_one(std::move(socket), s.context_, behaviour, s.server_name),
                           "one");
        }
    }

    ssl::context context_{ssl::context::tls_server};
    tcp::acceptor acceptor_;
    net::task_group group_;
};

tls_behaviour const good{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true};

awaitable<void> ask(net::http_client& client, result<net::http_response>& out) {
    auto request = get("/x");
    out = co_await client.send(std::move(request));
}

struct case_of {
    issued server;
    std::string host = "127.0.0.1";
    net::tls_options tls;
    tls_behaviour behaviour = good;
    std::string client_ca;
};

/// "200 ok", or the failure's text without the peer.
std::string outcome(case_of const& c, std::string* server_name = nullptr) {
    asio::io_context loop;
    tls_server server(loop, c.server, c.behaviour, c.client_ca);
    net::http_client_options options;
    options.peer = server.where(c.host);
    options.tls = c.tls;
    auto const client = net::make_http_client(loop.get_executor(), options);
    REQUIRE(client.has_value());
    result<net::http_response> got;
    run(loop, ask(**client, got));
    if (server_name != nullptr) *server_name = server.server_name;
    if (got.has_value()) return std::to_string(got->status) + " " + got->body;
    auto const text = describe(got.error());
    auto const at = text.find(": ");
    return text.substr(at + 2);
}

}  // namespace

TEST_CASE("a peer with a certificate for its address or name, by a known authority, is accepted") {
    authority ca;
    case_of c;
    c.server = ca.issue("DNS:localhost,IP:127.0.0.1");
    c.tls.ca_file = ca.ca_file();
    std::string name;
    CHECK(outcome(c, &name) == "200 ok");
    CHECK(name.empty());
    c.host = "localhost";
    CHECK(outcome(c, &name) == "200 ok");
    CHECK(name == "localhost");
    c.server = ca.issue("DNS:server.bev.consul");
    c.tls.server_name = "server.bev.consul";
    CHECK(outcome(c, &name) == "200 ok");
    CHECK(name == "server.bev.consul");
}

TEST_CASE("a peer with another's certificate is unreachable and the reason is told") {
    authority ca;
    authority stranger("somebody else");
    case_of c;
    c.tls.ca_file = ca.ca_file();
    auto const refusal = [&](issued server, std::string host) {
        c.server = std::move(server);
        c.host = std::move(host);
        return outcome(c);
    };
    CHECK(refusal(ca.issue("DNS:elsewhere.example"), "localhost") ==
          "TLS: certificate not accepted: hostname mismatch (unreachable)");
    CHECK(refusal(ca.issue("DNS:localhost"), "127.0.0.1") ==
          "TLS: certificate not accepted: IP address mismatch (unreachable)");
    CHECK(refusal(ca.issue("DNS:localhost", 1'800), "localhost") ==
          "TLS: certificate not accepted: certificate has expired (unreachable)");
    CHECK(refusal(stranger.issue("DNS:localhost"), "localhost") ==
          "TLS: certificate not accepted: unable to get local issuer certificate (unreachable)");
    // The system's authorities do not know it either.
    c.tls.ca_file.clear();
    CHECK(refusal(ca.issue("DNS:localhost"), "localhost").find("certificate not accepted") !=
          std::string::npos);
    c.tls.verify = false;
    CHECK(refusal(stranger.issue("DNS:elsewhere.example"), "localhost") == "200 ok");
}

TEST_CASE("a client certificate is presented, and its absence is forbidden") {
    authority ca;
    case_of c;
    c.server = ca.issue("IP:127.0.0.1");
    c.tls.ca_file = ca.ca_file();
    c.client_ca = ca.ca_file();
    CHECK(outcome(c).find("(forbidden)") != std::string::npos);
    auto const mine = ca.issue("DNS:client");
    c.tls.cert_file = mine.cert_file;
    c.tls.key_file = mine.key_file;
    CHECK(outcome(c) == "200 ok");
}

TEST_CASE("without a length, only a peer that closes TLS properly has ended its answer") {
    authority ca;
    case_of c;
    c.server = ca.issue("IP:127.0.0.1");
    c.tls.ca_file = ca.ca_file();
    c.behaviour.reply = "HTTP/1.1 200 OK\r\n\r\nto the end";
    CHECK(outcome(c) == "200 to the end");
    c.behaviour.close_notify = false;
    CHECK(outcome(c).find("(truncated answer)") != std::string::npos);
}

TEST_CASE("TLS files that cannot be used are named before anything is connected") {
    authority ca;
    asio::io_context loop;
    auto const refusal = [&](net::tls_options tls) {
        net::http_client_options options;
        options.peer.transport = net::endpoint::kind::tls;
        options.peer.host = "localhost";
        options.tls = std::move(tls);
        auto const made = net::make_http_client(loop.get_executor(), options);
        REQUIRE(made.has_error());
        return made.error();
    };
    auto const one = ca.issue("DNS:a");
    auto const other = ca.issue("DNS:b");
    net::tls_options tls;
    tls.ca_file = "/nonexistent/ca.pem";
    CHECK(refusal(tls).doing.find("use CA file /nonexistent/ca.pem: ") == 0);
    tls.ca_file = ca.ca_file();
    tls.cert_file = one.cert_file;
    CHECK(refusal(tls).code == errc::bad_input);
    tls.key_file = other.key_file;
    CHECK(refusal(tls).code == errc::local_error);
    CHECK(refusal(tls).doing.find(other.key_file) != std::string::npos);
}
