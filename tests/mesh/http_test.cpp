// Addresses, percent-encoding, and HTTP as bytes.
#include "mesh/net/http_wire.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::net;

TEST_CASE("an address is read in each of its forms") {
    struct row {
        char const* text;
        char const* shown;
    };
    for (auto const& [text, shown] : {
             row{"127.0.0.1:8500", "127.0.0.1:8500"},
             row{"consul.example", "consul.example:99"},
             row{"http://h:1", "h:1"},
             row{"http://h:1/", "h:1"},
             row{"tcp://h:2375", "h:2375"},
             row{"https://[::1]:8501", "https://[::1]:8501"},
             row{"[fd00::1]", "[fd00::1]:99"},
             row{"fd00::1", "[fd00::1]:99"},
             row{"unix:///run/docker.sock", "unix:///run/docker.sock"},
         }) {
        auto const parsed = parse_endpoint(text, 99);
        REQUIRE(parsed.has_value());
        CHECK(to_string(*parsed) == shown);
    }
}

TEST_CASE("what is no address is refused with its text and the reason") {
    for (auto const* const text : {"", ":80", "h:0", "h:65536", "h:80x", "h:", "[::1", "[::1]8",
                                   "ftp://h", "unix://relative", "a b:80", "user@h:80"}) {
        auto const parsed = parse_endpoint(text, 99);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().code == errc::bad_input);
        CHECK(parsed.error().doing.find(text) != std::string::npos);
    }
}

TEST_CASE("percent-encoding leaves the unreserved characters and nothing else") {
    CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
    CHECK(percent_encode("a b/c:d?e\xc3\xbc%") == "a%20b%2Fc%3Ad%3Fe%C3%BC%25");
}

TEST_CASE("a header is found whatever its case") {
    http_response r;
    r.headers = {{"X-Consul-Index", "7"}, {"x-consul-index", "8"}};
    CHECK(r.header("x-CONSUL-index") == "7");
    CHECK(r.header("X-Consul").empty());
}

namespace {

endpoint const here{endpoint::kind::tcp, "127.0.0.1", 8500, ""};

std::string head_of(http_request const& r, endpoint const& peer = here) {
    return std::string(request_head(r, peer).value().reveal());
}

}  // namespace

TEST_CASE("a request names its host as the peer is reached") {
    http_request const r;
    CHECK(head_of(r) == "GET / HTTP/1.1\r\nHost: 127.0.0.1:8500\r\n\r\n");
    endpoint socket;
    socket.transport = endpoint::kind::unix_socket;
    CHECK(head_of(r, socket) == "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    endpoint const v6{endpoint::kind::tls, "::1", 443, ""};
    CHECK(head_of(r, v6) == "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n");
}

TEST_CASE("a body is announced, and its absence in methods that usually have one") {
    http_request r;
    r.method = "PUT";
    CHECK(head_of(r).find("Content-Length: 0\r\n") != std::string::npos);
    r.body = "four";
    CHECK(head_of(r).find("Content-Length: 4\r\n") != std::string::npos);
    r.method = "GET";
    r.body.clear();
    CHECK(head_of(r).find("Content-Length") == std::string::npos);
}

TEST_CASE("nothing can break out of its line of a request") {
    auto const refused = [](http_request const& r) {
        auto const head = request_head(r, here);
        return head.has_error() && head.error().code == errc::bad_input;
    };
    http_request r;
    r.target = "/a HTTP/1.1\r\nX: y";
    CHECK(refused(r));
    r = {};
    r.target = "";
    CHECK(refused(r));
    r = {};
    r.method = "GET /x";
    CHECK(refused(r));
    r = {};
    r.headers = {{"X", "a\r\nY: b"}};
    CHECK(refused(r));
    r = {};
    r.headers = {{"X Y", "a"}};
    CHECK(refused(r));
    r = {};
    r.headers = {{"content-length", "3"}};
    CHECK(refused(r));
    r = {};
    r.secret_headers = {{"X-Consul-Token", secret("a\nb")}};
    CHECK(refused(r));
    CHECK(request_head(r, here).error().doing.find("a\nb") == std::string::npos);
}

TEST_CASE("an answer is read from pieces of any size") {
    std::string const text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        "X-A: 1\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        response_reader reader(1000, false);
        for (std::size_t at = 0; at < text.size(); at += piece) {
            REQUIRE(reader.feed(std::string_view(text).substr(at, piece)).has_value());
        }
        REQUIRE(reader.complete());
        CHECK(reader.head().status == 200);
        CHECK(reader.head().header("x-a") == "1");
        CHECK(reader.take_body() == "hello world");
        CHECK(reader.reusable());
    }
}

TEST_CASE("a connection is used again only after an answer that ended by itself") {
    auto const reusable = [](std::string const& text) {
        response_reader reader(1000, false);
        REQUIRE(reader.feed(text).has_value());
        return reader.complete() && reader.reusable();
    };
    CHECK(reusable("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    CHECK(reusable("HTTP/1.1 204 No Content\r\n\r\n"));
    CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"));
    CHECK_FALSE(reusable("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy"));
    CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\n\r\nx"));
}

TEST_CASE("the end of the connection ends an answer without a length, and truncates any other") {
    response_reader endless(1000, false);
    REQUIRE(endless.feed("HTTP/1.1 200 OK\r\n\r\nto the end").has_value());
    REQUIRE(endless.finish().has_value());
    CHECK(endless.complete());
    CHECK(endless.take_body() == "to the end");

    for (auto const* const text :
         {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n"}) {
        response_reader reader(1000, false);
        REQUIRE(reader.feed(text).has_value());
        REQUIRE(reader.finish().has_error());
        CHECK(reader.finish().error().code == errc::truncated);
    }
}

TEST_CASE("limits hold for the body, the header and what never ends") {
    auto const code = [](std::string const& text) {
        response_reader reader(10, false);
        auto const fed = reader.feed(text);
        return fed.has_error() ? fed.error().code : errc::canceled;
    };
    CHECK(code("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n") == errc::too_large);
    CHECK(code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n") ==
          errc::too_large);
    CHECK(code("HTTP/1.1 200 OK\r\n\r\n12345678901") == errc::too_large);
    CHECK(code("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x')) == errc::too_large);
    CHECK(code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
               std::string(140'000, 'x')) == errc::too_large);
    CHECK(code("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n") ==
          errc::bad_answer);
    CHECK(code("SSH-2.0-OpenSSH_9.2\r\n") == errc::bad_answer);
    CHECK(code("HTTP/1.1 101 Switching Protocols\r\n\r\n") == errc::bad_answer);
    CHECK(code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == errc::bad_answer);
}

TEST_CASE("the answer to HEAD has no body whatever its length says") {
    response_reader reader(1000, true);
    REQUIRE(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n").has_value());
    CHECK(reader.complete());
    CHECK(reader.reusable());
}
