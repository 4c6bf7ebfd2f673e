// The client against servers that do everything wrong that a server can do.
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

namespace {

awaitable<void> keep_failure(net::http_client& client, net::http_request request, failure& out) {
    auto const got = co_await client.send(std::move(request));
    REQUIRE(got.has_error());
    out = got.error();
}

/// The failure that one request against one script ends with.
failure failure_of(script play, net::http_request request = get("/x")) {
    asio::io_context loop;
    std::vector<script> plays(1, std::move(play));
    scripted_server server(loop, std::move(plays));
    auto const client = client_of(loop, server.where());
    failure f;
    run(loop, keep_failure(*client, std::move(request), f));
    auto const peer = net::to_string(server.where());
    CHECK(f.doing.find(" at " + peer + ": ") != std::string::npos);
    return f;
}

constexpr auto ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

awaitable<void> expect_ok(net::http_client& client, std::string target) {
    auto request = get(std::move(target));
    auto const got = co_await client.send(std::move(request));
    if (got.has_error()) FAIL(describe(got.error()));
    CHECK(got->status == 200);
}

awaitable<void> play_half_close(std::shared_ptr<wire> w) {
    co_await w->request();
    co_await w->send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    w->half_close();
    co_await w->until_closed();
}

awaitable<void> play_reset(std::shared_ptr<wire> w) {
    co_await w->request();
    w->reset();
}

awaitable<void> play_drip(std::shared_ptr<wire> w) {
    co_await w->request();
    co_await w->send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (;;) {
        co_await w->send("x");
        co_await net::sleep_for(milliseconds(5));
    }
}

}  // namespace

TEST_CASE("an answer that breaks off is truncated") {
    CHECK(failure_of(answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")).code ==
          errc::truncated);
    CHECK(failure_of(answer_and_close("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      "5\r\nhello\r\n"))
              .code == errc::truncated);
    CHECK(failure_of(answer_and_close("HTTP/1.1 200 OK\r\nContent-Le")).code == errc::truncated);
    CHECK(failure_of(answer_and_close("")).code == errc::truncated);
    CHECK(failure_of(play_half_close).code == errc::truncated);
    CHECK(failure_of(play_reset).code == errc::truncated);
}

TEST_CASE("a failure says what was asked of whom and what happened") {
    auto const f = failure_of(answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"));
    CHECK(f.doing.find("GET /x at 127.0.0.1:") == 0);
    CHECK(f.doing.find(": closed in the middle of the answer") != std::string::npos);
}

TEST_CASE("garbage is a bad answer") {
    CHECK(failure_of(answer("\x16\x03\x01 not HTTP at all\r\n\r\n")).code == errc::bad_answer);
    CHECK(failure_of(answer("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")).code == errc::bad_answer);
}

TEST_CASE("a body over the limit is too large") {
    auto request = get("/x");
    request.body_limit = 3;
    CHECK(failure_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlong"), request).code ==
          errc::too_large);
}

TEST_CASE("a server that says nothing, or its body byte by byte, meets the deadline") {
    auto const start = std::chrono::steady_clock::now();
    CHECK(failure_of(silence(), get("/x", milliseconds(50))).code == errc::timed_out);
    auto const f = failure_of(play_drip, get("/x", milliseconds(60)));
    CHECK(f.code == errc::timed_out);
    CHECK(f.doing.find("no complete answer within 60ms") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("nobody listening is unreachable, at once") {
    asio::io_context loop;
    net::endpoint where;
    {
        scripted_server const server(loop, std::vector<script>(1, silence()));
        where = server.where();
    }
    loop.poll();
    auto const client = client_of(loop, where);
    failure f;
    run(loop, keep_failure(*client, get("/x"), f));
    CHECK(f.code == errc::unreachable);
    CHECK(f.doing.find("connect: Connection refused") != std::string::npos);
}

TEST_CASE("a name is resolved, and one that does not exist is unreachable") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, echo()));
    auto where = server.where();
    where.host = "localhost";
    auto const client = client_of(loop, where);
    run(loop, expect_ok(*client, "/"));
    where.host = "no-such-host.invalid";
    auto const other = client_of(loop, where);
    failure f;
    run(loop, keep_failure(*other, get("/"), f));
    CHECK((f.code == errc::unreachable || f.code == errc::timed_out));
}

TEST_CASE("200 requests one after the other use one connection") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, echo()));
    auto const client = client_of(loop, server.where());
    for (int i = 0; i < 200; ++i)
        run(loop, expect_ok(*client, "/" + std::to_string(i)));
    CHECK(server.connections() == 1);
}

TEST_CASE("a connection that had an error is not used again") {
    asio::io_context loop;
    std::vector<script> plays;
    plays.push_back(silence());
    plays.push_back(answer("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"));
    plays.push_back(echo());
    scripted_server server(loop, std::move(plays));
    auto const client = client_of(loop, server.where());
    failure f;
    // Each has time to be connected in: one that has none leaves its script to the next.
    milliseconds const limit(1'000);
    run(loop, keep_failure(*client, get("/1", limit), f));
    REQUIRE(server.connections() == 1);
    run(loop, keep_failure(*client, get("/2", limit), f));
    REQUIRE(server.connections() == 2);
    run(loop, expect_ok(*client, "/3"));
    CHECK(server.connections() == 3);
}

namespace {

/// Answers the first request, then sends what nobody asked for.
awaitable<void> play_chatter(std::shared_ptr<wire> w) {
    co_await w->request();
    co_await w->send(std::string(ok) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    co_await w->until_closed();
}

/// Answers the first request, and closes when the second has come.
awaitable<void> play_close_on_second(std::shared_ptr<wire> w) {
    co_await w->request();
    co_await w->send(ok);
    co_await w->request();
}

awaitable<void> send_method(net::http_client& client, std::string method, bool never_resend,
                            bool expected) {
    auto request = get("/again");
    request.method = std::move(method);
    request.never_resend = never_resend;
    auto const got = co_await client.send(std::move(request));
    CHECK(got.has_value() == expected);
    if (got.has_error()) CHECK(got.error().code == errc::truncated);
}

}  // namespace

TEST_CASE("a connection with unasked bytes on it is not used again") {
    asio::io_context loop;
    std::vector<script> plays{play_chatter, echo()};
    scripted_server server(loop, std::move(plays));
    auto const client = client_of(loop, server.where());
    run(loop, expect_ok(*client, "/1"));
    run(loop, expect_ok(*client, "/2"));
    CHECK(server.connections() == 2);
}

TEST_CASE("only an idempotent request is sent again when a kept connection turns out dead") {
    struct row {
        char const* method;
        bool never_resend;
        bool succeeds;
    };
    for (auto const& [method, never_resend, succeeds] :
         {row{"GET", false, true}, row{"PUT", false, true}, row{"DELETE", false, true},
          row{"PUT", true, false}, row{"POST", false, false}, row{"PATCH", false, false}}) {
        asio::io_context loop;
        std::vector<script> plays{play_close_on_second, echo()};
        scripted_server server(loop, std::move(plays));
        auto const client = client_of(loop, server.where());
        run(loop, expect_ok(*client, "/first"));
        INFO(method);
        run(loop, send_method(*client, method, never_resend, succeeds));
        CHECK(server.connections() == (succeeds ? 2U : 1U));
    }
}

TEST_CASE("a request that failed on a new connection is not sent again") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, answer_and_close("")));
    auto const client = client_of(loop, server.where());
    failure f;
    run(loop, keep_failure(*client, get("/x"), f));
    CHECK(server.connections() == 1);
}

TEST_CASE("a connection that the server closed while idle is seen before it is used") {
    asio::io_context loop;
    std::vector<script> plays{answer_and_close(ok), echo()};
    scripted_server server(loop, std::move(plays));
    auto const client = client_of(loop, server.where());
    run(loop, expect_ok(*client, "/1"));
    loop.restart();
    while (loop.poll() > 0)
        loop.restart();
    auto const post = [&]() { return send_method(*client, "POST", false, true); };
    run(loop, post());
    CHECK(server.connections() == 2);
}

TEST_CASE("a kept connection ages out") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, echo()));
    net::http_client_options options;
    options.peer = server.where();
    options.idle_max = milliseconds(0);
    auto const client = net::make_http_client(loop.get_executor(), options).value().release();
    std::unique_ptr<net::http_client> const owner(client);
    run(loop, expect_ok(*client, "/1"));
    run(loop, net::sleep_for(milliseconds(1)));
    run(loop, expect_ok(*client, "/2"));
    CHECK(server.connections() == 2);
}

namespace {

struct gate {
    explicit gate(asio::io_context& loop) : opened(loop, asio::steady_timer::time_point::max()) {}
    asio::steady_timer opened;
    std::size_t waiting = 0;
    std::size_t most = 0;
};

awaitable<void> play_gated(std::shared_ptr<wire> w, gate& g) {
    for (;;) {
        auto const request = co_await w->request();
        if (request.empty()) co_return;
        g.most = std::max(g.most, ++g.waiting);
        co_await net::sleep_for(milliseconds(2));
        --g.waiting;
        co_await w->send(ok);
    }
}

}  // namespace

TEST_CASE("the pool bounds the connections, and who waits is served in order") {
    asio::io_context loop;
    gate g(loop);
    script const play = [&g](std::shared_ptr<wire> w) { return play_gated(std::move(w), g); };
    scripted_server server(loop, std::vector<script>(1, play));
    auto const client = client_of(loop, server.where(), 3);
    net::task_group group(loop.get_executor(),
                          [](std::string_view, std::string const& what) { FAIL(what); });
    for (int i = 0; i < 40; ++i) {
        group.spawn(expect_ok(*client, "/" + std::to_string(i)), std::to_string(i));
    }
    run(loop, group.join());
    CHECK(server.connections() == 3);
    CHECK(g.most == 3);
}

TEST_CASE("waiting for a connection counts towards the deadline") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, silence()));
    auto const client = client_of(loop, server.where(), 1);
    failure first;
    failure second;
    net::task_group group(loop.get_executor(), nullptr);
    group.spawn(keep_failure(*client, get("/slow", milliseconds(200)), first), "first");
    group.spawn(keep_failure(*client, get("/waits", milliseconds(20)), second), "second");
    run(loop, group.join());
    CHECK(first.code == errc::timed_out);
    CHECK(second.code == errc::timed_out);
    CHECK(second.doing.find("no connection came free") != std::string::npos);
    CHECK(server.connections() == 1);
}

TEST_CASE("a request that is canceled, waiting or under way, gives its connection back") {
    asio::io_context loop;
    std::vector<script> plays{silence(), echo()};
    scripted_server server(loop, std::move(plays));
    auto const client = client_of(loop, server.where(), 1);
    {
        net::task_group group(loop.get_executor(), nullptr);
        failure ignored;
        auto const send = [&](char const* target) {
            return keep_failure(*client, get(target, milliseconds(60'000)), ignored);
        };
        group.spawn(send("/under-way"), "under way");
        group.spawn(send("/waiting"), "waiting");
        while (server.connections() == 0)
            loop.run_one();
        group.cancel();
        run(loop, group.join());
    }
    run(loop, expect_ok(*client, "/after"));
    CHECK(server.connections() == 2);
}

TEST_CASE("a client and its loop may go while a request is under way") {
    auto loop = std::make_unique<asio::io_context>();
    auto server = std::make_unique<scripted_server>(*loop, std::vector<script>(1, silence()));
    auto client = client_of(*loop, server->where(), 1);
    failure ignored;
    auto const send = [&]() { return keep_failure(*client, get("/x"), ignored); };
    asio::co_spawn(*loop, send(), asio::detached);
    asio::co_spawn(*loop, send(), asio::detached);
    while (server->connections() == 0)
        loop->run_one();
    client.reset();
    loop->poll();
    server.reset();
    loop.reset();
}

namespace {

awaitable<void> play_refuse_body(std::shared_ptr<wire> w) {
    // Answers on the head alone and reads no more, as servers do with a body that is too long.
    co_await w->send(
        "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n"
        "Connection: close\r\n\r\nbig");
    w->half_close();
    co_await w->until_closed();
}

awaitable<void> send_big(net::http_client& client) {
    net::http_request request;
    request.method = "PUT";
    request.body.assign(1U << 20U, 'x');
    auto const got = co_await client.send(std::move(request));
    if (got.has_error()) FAIL(describe(got.error()));
    CHECK(got->status == 413);
    CHECK(got->body == "big");
}

}  // namespace

TEST_CASE("an answer that comes before the body was read is an answer") {
    asio::io_context loop;
    scripted_server server(loop, std::vector<script>(1, play_refuse_body));
    auto const client = client_of(loop, server.where());
    run(loop, send_big(*client));
}
