// Who may ask what, and what a refusal is at the other end.
#include "mesh/daemon/routes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;
using net::awaitable;

namespace {

awaitable<result<std::string>> echo(std::string said, call c) {
    co_return said + " " + c.request.target + " " + (c.is_local() ? "local" : c.node);
}

routes::handler says(std::string text) {
    return [text = std::move(text)](call c) { return echo(text, std::move(c)); };
}

awaitable<result<std::string>> refuse(call) {
    co_return failure{errc::conflict, "a \"move\" is under way"};
}

routes table(routes::forwarder forward = {}) {
    routes made("thanos", std::move(forward));
    made.add("GET", "/v1/status", audience::local, says("status"));
    made.add("GET", "/v1/peer", audience::nodes, says("peer"));
    made.add("GET", "/v1/services", audience::everybody, says("services"));
    made.add("GET", "/primary/", audience::everybody, says("primary"));
    made.add("POST", "/v1/move", audience::everybody, refuse);
    return made;
}

net::http_response ask(routes const& on, std::string const& method, std::string const& target,
                       std::string const& node = "") {
    call c;
    c.request.method = method;
    c.request.target = target;
    c.node = node;
    boost::asio::io_context loop;
    net::http_response got;
    boost::asio::co_spawn(loop, on.answer(std::move(c)),
                          [&](std::exception_ptr e, net::http_response r) {
                              REQUIRE_FALSE(e);
                              got = std::move(r);
                          });
    loop.run();
    return got;
}

}  // namespace

TEST_CASE("a route answers those that it is for") {
    auto const on = table();
    CHECK(ask(on, "GET", "/v1/status?x=1").body == "status /v1/status?x=1 local");
    CHECK(ask(on, "GET", "/v1/services", "oracle1").body == "services /v1/services oracle1");
    CHECK(ask(on, "GET", "/primary/redis", "oracle1").body == "primary /primary/redis oracle1");
    CHECK(ask(on, "GET", "/v1/status", "oracle1").status == 403);
    CHECK(ask(on, "GET", "/v1/peer").status == 403);
    CHECK(ask(on, "GET", "/v1/peer", "oracle1").status == 200);
    CHECK(ask(on, "PUT", "/v1/status").status == 404);
    CHECK(ask(on, "GET", "/v1/statusx").status == 404);
}

TEST_CASE("?node= is answered by that node, for local users only") {
    std::string asked;
    auto const on = table([&](std::string node, call c) {
        asked = node;
        return echo("forwarded", std::move(c));
    });
    CHECK(ask(on, "GET", "/v1/services?node=thanos").body.starts_with("services"));
    CHECK(ask(on, "GET", "/v1/services?node=oracle1").body.starts_with("forwarded"));
    CHECK(asked == "oracle1");
    asked.clear();
    // A node asks us, and means us: no chains.
    CHECK(ask(on, "GET", "/v1/services?node=oracle1", "starlord").body.starts_with("services"));
    // A local route is local.
    CHECK(ask(on, "GET", "/v1/status?node=oracle1").body.starts_with("status"));
    CHECK(asked.empty());
    CHECK(ask(table(), "GET", "/v1/services?node=oracle1").status == 400);
}

TEST_CASE("a failure is the same failure at the other end") {
    auto const on = table();
    auto const answer = ask(on, "POST", "/v1/move");
    CHECK(answer.status == 409);
    auto const f = refusal(answer, "thanos");
    CHECK(f.code == errc::conflict);
    CHECK(f.doing == "thanos says: a \"move\" is under way");
    net::http_response strange;
    strange.status = 502;
    strange.body = "[]";
    CHECK(refusal(strange, "thanos").doing == "thanos says: HTTP status 502");
    CHECK(refusal(strange, "thanos").code == errc::remote_error);
}

TEST_CASE("query values are decoded, and only the whole key counts") {
    CHECK(query_value("/v1/resolve?name=redis", "name") == "redis");
    CHECK(query_value("/v1/resolve?rename=x&name=a%20b+c", "name") == "a b c");
    CHECK(query_value("/v1/resolve?name=", "name").empty());
    CHECK(query_value("/v1/resolve?name=%zz", "name") == "%zz");
    CHECK(query_value("/v1/resolve", "name").empty());
    CHECK(query_value("/v1/resolve?name", "name").empty());
}
