// Daemons that ask each other, over the real listener and its certificates.
#include "mesh/daemon/peers.hpp"

#include <filesystem>
#include <fstream>

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include "mesh/net/deadline.hpp"
#include "mesh/net/task_group.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;
using namespace bevmesh::testing;
using net::awaitable;
using steady = std::chrono::steady_clock;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

std::uint16_t free_port() {
    asio::io_context loop;
    return tcp::acceptor(loop, {asio::ip::make_address("127.0.0.2"), 0}).local_endpoint().port();
}

mesh_config three_nodes(authority& ca, std::string const& node, std::uint16_t port) {
    mesh_config c;
    c.name = "bev";
    c.nodes["starlord"].address = "127.0.0.2";
    c.nodes["thanos"].address = "127.0.0.3";
    c.nodes["oracle1"].address = "127.0.0.4";
    auto const files = ca.issue("URI:" + peer_uri("bev", node));
    c.tls = {files.cert_file, files.key_file, ca.ca_file()};
    c.peers.port = port;
    return c;
}

awaitable<net::http_response> route(routes const& on, net::http_request request) {
    call c;
    c.node = request.peer;
    c.request = std::move(request);
    return on.answer(std::move(c));
}

awaitable<result<std::string>> wait_long(call) {
    co_await net::sleep_for(std::chrono::hours(1));
    co_return std::string();
}

awaitable<result<std::string>> fail(call) {
    co_return failure{errc::conflict, "a move is under way"};
}

/// A daemon of the mesh, as far as its peers see it.
struct member {
    member(asio::io_context& loop, mesh_config const& config, std::string const& name)
        : node(name), table(name), group(loop.get_executor(), nullptr) {
        auto made = peers::make(loop.get_executor(), config, name, config.tls.certificate);
        REQUIRE(made.has_value());
        self = std::move(*made);
        self->mount(table, [this] {
            return nlohmann::json{
                {"node", node}, {"version", "1"}, {"time_ms", 0}, {"config", self->fingerprint()}};
        });
        table.add("GET", "/echo", audience::nodes,
                  [this](call c) { return at_once(node + " to " + c.node); });
        table.add("GET", "/for-ever", audience::nodes, wait_long);
        table.add("POST", "/conflict", audience::nodes, fail);
        auto listening =
            self->listen([this](net::http_request r) { return route(table, std::move(r)); });
        REQUIRE(listening.has_value());
        server = std::move(*listening);
        group.spawn(server->run(), "server");
    }
    ~member() { server->stop(); }

    std::string node;
    routes table;
    std::unique_ptr<peers> self;
    std::unique_ptr<net::http_server> server;
    net::task_group group;
};

awaitable<void> ask(peers& from, std::string node, peer_question what, std::string& out) {
    auto const got = co_await from.request(std::move(node), std::move(what));
    out = got.has_value() ? *got : describe(got.error());
}

awaitable<void> ask_all(peers& from, peer_question what, peers::answers& out) {
    out = co_await from.ask_all(std::move(what));
}

peer_question get_of(std::string target, milliseconds deadline = milliseconds(3'000)) {
    peer_question what;
    what.target = std::move(target);
    what.deadline = deadline;
    return what;
}

std::string answer_of(asio::io_context& loop, peers& from, std::string const& node,
                      peer_question what) {
    std::string got;
    run(loop, ask(from, node, std::move(what), got));
    return got;
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
    auto const began = steady::now();
    milliseconds const limit(300);
    CHECK_THAT(answer_of(loop, *oracle1.self, "starlord", get_of("/echo", limit)),
               Catch::Contains("(timed out)"));
    CHECK_THAT(answer_of(loop, *oracle1.self, "thanos", get_of("/for-ever", limit)),
               Catch::Contains("(timed out)"));
    CHECK(steady::now() - began < seconds(3));
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
    peers::answers got;
    auto const began = steady::now();
    run(loop, ask_all(*oracle1.self, get_of("/echo", milliseconds(500)), got));
    CHECK(steady::now() - began < seconds(3));
    REQUIRE(got.size() == 2);
    CHECK(got.at("thanos").value() == "thanos to oracle1");
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
               Catch::Contains("the configuration has no `tls` section"));
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
