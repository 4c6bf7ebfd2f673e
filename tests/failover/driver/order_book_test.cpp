// Standing orders, changed by several at once.
#include "failover/driver/order_book.hpp"

#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
using failover::order_book;

TEST_CASE("an order that lost against another one is told, not taken for given") {
    api_double api;
    consul_config settings;
    settings.address = api.address();
    auto as = consul::identity::make(settings, "", {}).value();
    auto const agent =
        std::move(consul::make_client(api.loop.get_executor(), settings, as, secret("t")).value());
    order_book orders(*agent, "redis");
    std::string const key = "/v1/kv/bevmesh/failover/.orders/redis";
    api.on("GET " + key + "?consistent&recurse", 200, "[]");
    api.on("PUT " + key + "?cas=0", 200, "false");
    auto const pause = [](failover::standing_orders& each) { each.pause.emplace(); };
    auto const refused = call(api, orders.change(pause));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::conflict);
    api.on("PUT " + key + "?cas=0", 200, "true");
    CHECK(call(api, orders.change(pause)).has_value());
}
