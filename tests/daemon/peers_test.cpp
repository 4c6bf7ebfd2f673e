// Daemons that ask each other, over the real listener and its certificates.
#include <boost/asio/ip/tcp.hpp>

#include "tests/catch.hpp"
#include "tests/daemon/peers_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;
using namespace bevmesh::testing;
using steady = std::chrono::steady_clock;
namespace asio = boost::asio;

namespace {

awaitable<void> ask_all(peers& from, peer_question what, peers::answers& out) {
    out = co_await from.ask_all(std::move(what));
}

}  // namespace

TEST_CASE("a node is asked and knows who asks") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    member oracle1(loop, three_nodes(ca, "oracle1", port), "oracle1");
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    CHECK(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")) == "oracle1 to thanos");
    peer_question move = get_of("/conflict");
    move.method = "POST";
    move.body = "{}";
    CHECK(answer_of(loop, *oracle1.self, "thanos", move) ==
          "thanos says: a move is under way (conflict)");
    CHECK(answer_of(loop, *oracle1.self, "oracle1", get_of("/echo")) ==
          "oracle1 is this node (not found)");
    CHECK(answer_of(loop, *oracle1.self, "loki", get_of("/echo")) ==
          "no node is called loki (not found)");
    CHECK_THAT(answer_of(loop, *oracle1.self, "starlord", get_of("/echo")),
               Catch::Contains("node starlord: GET /echo at https://127.0.0.2:") &&
                   Catch::Contains("(unreachable)"));
}

TEST_CASE("the deadline bounds a peer that accepts and is silent, and the next question is free") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    member oracle1(loop, three_nodes(ca, "oracle1", port), "oracle1");
    // Starlord's kernel accepts, as for a process that SIGSTOP holds.
    tcp::acceptor stopped(loop, {asio::ip::make_address("127.0.0.2"), port});
    milliseconds const limit(300);
    CHECK_THAT(answer_of(loop, *oracle1.self, "starlord", get_of("/echo", limit)),
               Catch::Contains("(timed out)"));
    CHECK_THAT(answer_of(loop, *oracle1.self, "thanos", get_of("/for-ever", limit)),
               Catch::Contains("(timed out)"));
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    CHECK(oracle1.self->views().at("starlord").errors == 1);
}

TEST_CASE("all nodes are asked side by side") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    member oracle1(loop, three_nodes(ca, "oracle1", port), "oracle1");
    tcp::acceptor stopped(loop, {asio::ip::make_address("127.0.0.2"), port});
    steady::time_point asked;
    thanos.table.add("GET", "/when", audience::nodes, [&asked](call const&) {
        asked = steady::now();
        return at_once(std::string("just now"));
    });
    peers::answers got;
    milliseconds const limit(5'000);
    auto const began = steady::now();
    run(loop, ask_all(*oracle1.self, get_of("/when", limit), got));
    REQUIRE(got.size() == 2);
    CHECK(got.at("thanos").value() == "just now");
    // After starlord, it would have been asked when that one's time was over.
    CHECK(asked - began < limit);
    CHECK(got.at("starlord").error().code == errc::timed_out);
}

TEST_CASE("a restarted peer is asked again without an error") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    auto const config = three_nodes(ca, "thanos", port);
    auto thanos = std::make_unique<member>(loop, config, "thanos");
    member oracle1(loop, three_nodes(ca, "oracle1", port), "oracle1");
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    thanos.reset();
    loop.restart();
    loop.poll();
    thanos = std::make_unique<member>(loop, config, "thanos");
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
}

TEST_CASE("a node's state is watched: version, configuration, up and down") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    auto config = three_nodes(ca, "thanos", port);
    member thanos(loop, config, "thanos");
    config = three_nodes(ca, "oracle1", port);
    member oracle1(loop, config, "oracle1");
    oracle1.group.spawn(oracle1.self->watch(), "watch");
    auto const& views = oracle1.self->views();
    auto const end = steady::now() + seconds(10);
    while (!(views.at("thanos").asked && views.at("starlord").asked) && steady::now() < end)
        loop.run_one();
    auto const& seen = views.at("thanos");
    CHECK(seen.reachable);
    CHECK(seen.version == "1");
    CHECK(seen.round_trip.has_value());
    // The two differ: the fingerprint is the path of the certificate here.
    CHECK(seen.config == thanos.self->fingerprint());
    CHECK(seen.config != oracle1.self->fingerprint());
    CHECK_FALSE(views.at("starlord").reachable);
    CHECK_FALSE(views.at("starlord").detail.empty());
    oracle1.group.cancel();
}

TEST_CASE("without certificates nobody is asked, and the reason is told") {
    authority ca;
    asio::io_context loop;
    auto config = three_nodes(ca, "oracle1", 8702);
    config.tls = {};
    auto const alone = peers::make(loop.get_executor(), config, "oracle1", "");
    REQUIRE(alone.has_value());
    CHECK_FALSE((*alone)->enabled());
    CHECK_THAT(answer_of(loop, **alone, "thanos", get_of("/echo")),
               Catch::Contains("the configuration has neither `tls` nor `vault`"));
}

TEST_CASE("certificates that do not serve are refused by name, and a reload keeps the old ones") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    auto const foreign = three_nodes(ca, "thanos", port);
    auto const made = peers::make(loop.get_executor(), foreign, "oracle1", "");
    REQUIRE(made.has_error());
    CHECK(made.error().doing == "TLS certificate " + foreign.tls.certificate +
                                    ": is for spiffe://bev/node/thanos/service/bevmesh; expected "
                                    "the alternative name "
                                    "URI:spiffe://bev/node/oracle1/service/bevmesh");
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    auto config = three_nodes(ca, "oracle1", port);
    member oracle1(loop, config, "oracle1");
    auto broken = config;
    broken.tls.key += ".gone";
    CHECK(oracle1.self->configure(broken, "b").has_error());
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    auto const renewed = three_nodes(ca, "oracle1", port);
    CHECK(oracle1.self->configure(renewed, "c").has_value());
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
}
