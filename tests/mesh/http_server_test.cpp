// The server, spoken to by our own client and by hand.
#include "mesh/net/http_server.hpp"

#include <filesystem>
#include <fstream>
#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

namespace {

class directory {
public:
    directory() {
        auto name = (std::filesystem::temp_directory_path() / "bevmesh-test-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string file(char const* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

awaitable<net::http_response> handle(net::http_request request) {
    net::http_response r;
    r.status = 200;
    r.body = request.method + " " + request.target + " " + request.body;
    if (request.target == "/throw") throw std::runtime_error("the handler's secret reason");
    if (request.target == "/slow") co_await net::sleep_for(milliseconds(30));
    if (request.target == "/for-ever") co_await net::sleep_for(std::chrono::hours(1));
    co_return r;
}

net::listen_options loopback() {
    net::listen_options o;
    o.address = "127.0.0.1";
    return o;
}

net::endpoint at_port(std::uint16_t port) {
    net::endpoint e;
    e.host = "127.0.0.1";
    e.port = port;
    return e;
}

net::endpoint at_socket(std::string path) {
    net::endpoint e;
    e.transport = net::endpoint::kind::unix_socket;
    e.path = std::move(path);
    return e;
}

awaitable<void> ask(net::http_client& client, net::http_request request,
                    result<net::http_response>& out) {
    out = co_await client.send(std::move(request));
}

std::string text_of(result<net::http_response> const& r) {
    return r.has_value() ? std::to_string(r->status) + " " + r->body : describe(r.error());
}

/// Sends `bytes` and gives everything until the server closes.
awaitable<void> converse(std::uint16_t port, std::string bytes, std::string& out) {
    auto const executor = co_await asio::this_coro::executor;
    tcp::socket socket(executor);
    tcp::endpoint const peer(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(peer, asio::use_awaitable);
    wire w(std::move(socket));
    co_await w.send(std::move(bytes));
    std::array<char, 4096> buffer{};
    boost::system::error_code error;
    while (!error) {
        auto const n = co_await w.socket().async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        out.append(buffer.data(), n);
    }
}

struct running {
    explicit running(net::listen_options options)
        : group(loop.get_executor(),
                [this](std::string_view, std::string const& what) { told.push_back(what); }) {
        options.on_error = [this](std::string const& what) { told.push_back(what); };
        server = std::move(net::make_http_server(loop.get_executor(), options, handle).value());
        group.spawn(server->run(), "server");
    }
    std::string ask(net::endpoint where, net::http_request request) {
        auto const client = client_of(loop, std::move(where));
        result<net::http_response> got;
        run(loop, ::ask(*client, std::move(request), got));
        return text_of(got);
    }
    std::string say(std::string bytes) {
        std::string out;
        run(loop, converse(server->port(), std::move(bytes), out));
        return out;
    }

    asio::io_context loop;
    std::vector<std::string> told;
    std::unique_ptr<net::http_server> server;
    net::task_group group;
};

}  // namespace

TEST_CASE("requests over TCP and a unix socket reach the handler") {
    directory const d;
    auto put = get("/v1/x?y=1");
    put.method = "PUT";
    put.body = "body";
    running tcp_server(loopback());
    CHECK(tcp_server.ask(at_port(tcp_server.server->port()), put) == "200 PUT /v1/x?y=1 body");
    net::listen_options o;
    o.socket_path = d.file("api.sock");
    running unix_server(o);
    CHECK(unix_server.ask(at_socket(o.socket_path), put) == "200 PUT /v1/x?y=1 body");
}

TEST_CASE("a connection carries many requests, also sent without waiting") {
    running r(loopback());
    auto const got = r.say(
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: "
        "3\r\n\r\nabc"
        "HEAD /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(got ==
          "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nGET /1 "
          "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nPOST /2 abc"
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\n");
}

TEST_CASE("a request that is wrong or too long is answered and the connection closed") {
    auto o = loopback();
    o.body_limit = 10;
    running r(o);
    CHECK(r.say("nonsense\r\n\r\n").find("HTTP/1.1 400 Bad Request\r\n") == 0);
    CHECK(r.say("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n")
              .find("HTTP/1.1 413 Payload Too Large\r\n") == 0);
    CHECK(r.say("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x')).find("HTTP/1.1 413") == 0);
}

TEST_CASE("a client that asks first is told to go on") {
    running r(loopback());
    auto const got = r.say(
        "PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n");
    CHECK(got.find("HTTP/1.1 200 OK\r\n") == 0);
}

TEST_CASE("a handler that throws answers 500, is told about, and harms nobody else") {
    running r(loopback());
    auto const where = at_port(r.server->port());
    CHECK(r.ask(where, get("/throw")) == "500 internal error\n");
    CHECK(r.told == std::vector<std::string>{"handler of GET /throw: the handler's secret reason"});
    CHECK(r.ask(where, get("/fine")) == "200 GET /fine ");
}

TEST_CASE("a silent client is dropped, one too many is refused") {
    auto o = loopback();
    o.connections_max = 1;
    o.idle_timeout = milliseconds(50);
    running r(o);
    std::string silent;
    std::string refused;
    net::task_group both(r.loop.get_executor(), nullptr);
    both.spawn(converse(r.server->port(), "GET / HT", silent), "silent");
    both.spawn(converse(r.server->port(), "", refused), "refused");
    run(r.loop, both.join());
    CHECK(silent.empty());
    CHECK(refused.find("HTTP/1.1 503 Service Unavailable\r\n") == 0);
}

TEST_CASE("stop lets a request in flight finish and drops idle connections") {
    running r(loopback());
    auto const client = client_of(r.loop, at_port(r.server->port()));
    result<net::http_response> slow;
    std::string idle;
    r.group.spawn(ask(*client, get("/slow"), slow), "slow");
    r.group.spawn(converse(r.server->port(), "GET /1 HTTP/1.1\r\n\r\n", idle), "idle");
    while (idle.empty())
        r.loop.run_one();
    r.server->stop();
    run(r.loop, r.group.join());
    CHECK(text_of(slow) == "200 GET /slow ");
    CHECK(idle.find("200 OK") != std::string::npos);
    CHECK(r.told.empty());
}

TEST_CASE("a canceled server ends in bounded time even when a handler does not") {
    running r(loopback());
    auto const client = client_of(r.loop, at_port(r.server->port()));
    result<net::http_response> never;
    net::task_group asking(r.loop.get_executor(), nullptr);
    asking.spawn(ask(*client, get("/for-ever", milliseconds(60'000)), never), "ask");
    for (int i = 0; i < 20; ++i)
        r.loop.run_one_for(milliseconds(10));
    r.group.cancel();
    auto const start = std::chrono::steady_clock::now();
    run(r.loop, r.group.join());
    CHECK(std::chrono::steady_clock::now() - start < seconds(10));
    run(r.loop, asking.join());
    CHECK(never.error().code == errc::truncated);
}

TEST_CASE(
    "the socket has its mode, is replaced when stale, defended when live, removed at the end") {
    directory const d;
    net::listen_options o;
    o.socket_path = d.file("api.sock");
    o.mode = 0640;
    struct stat file{};
    {
        running r(o);
        REQUIRE(::stat(o.socket_path.c_str(), &file) == 0);
        CHECK((file.st_mode & 0777U) == 0640U);
        auto const second = net::make_http_server(r.loop.get_executor(), o, handle);
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::conflict);
        CHECK(r.ask(at_socket(o.socket_path), get("/")) == "200 GET / ");
    }
    CHECK(::stat(o.socket_path.c_str(), &file) != 0);

    // What a killed daemon leaves behind.
    int const left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    o.socket_path.copy(name.sun_path, sizeof name.sun_path - 1);
    void* const address = &name;
    REQUIRE(::bind(left, static_cast<sockaddr*>(address), sizeof name) == 0);
    ::close(left);
    {
        running r(o);
        CHECK(r.ask(at_socket(o.socket_path), get("/")) == "200 GET / ");
    }

    std::ofstream(o.socket_path) << "not a socket";
    asio::io_context loop;
    auto const refused = net::make_http_server(loop.get_executor(), o, handle);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::conflict);
    CHECK(std::filesystem::file_size(o.socket_path) == 12);
}

TEST_CASE("the socket belongs to the group that was asked for") {
    directory const d;
    net::listen_options o;
    o.socket_path = d.file("api.sock");
    auto const* const wanted = ::getgrgid(::getegid());
    REQUIRE(wanted != nullptr);
    o.group = wanted->gr_name;
    running r(o);
    struct stat file{};
    REQUIRE(::stat(o.socket_path.c_str(), &file) == 0);
    CHECK(file.st_gid == ::getegid());
    CHECK((file.st_mode & 0777U) == 0660U);
}

TEST_CASE("an address that is taken or none is refused at once") {
    running r(loopback());
    auto o = loopback();
    o.port = r.server->port();
    auto const taken = net::make_http_server(r.loop.get_executor(), o, handle);
    REQUIRE(taken.has_error());
    CHECK(taken.error().code == errc::conflict);
    o.address = "not-literal";
    auto const bad = net::make_http_server(r.loop.get_executor(), o, handle);
    REQUIRE(bad.has_error());
    CHECK(bad.error().code == errc::bad_input);
}
