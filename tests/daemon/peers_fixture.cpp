#include "tests/daemon/peers_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"

namespace bevmesh::testing {

namespace asio = boost::asio;
using namespace daemon;

namespace {

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

awaitable<void> ask(peers& from, std::string node, peer_question what, std::string& out) {
    auto const got = co_await from.request(std::move(node), std::move(what));
    out = got.has_value() ? *got : describe(got.error());
}

}  // namespace

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

member::member(asio::io_context& loop, mesh_config const& config, std::string const& name)
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

peer_question get_of(std::string target, milliseconds deadline) {
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

}  // namespace bevmesh::testing
