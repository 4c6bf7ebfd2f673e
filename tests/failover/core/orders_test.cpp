// Pauses and switchovers to come: what is left of them, when they are due, and how they are
// written.
#include "failover/orders.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;

namespace {

utc at(char const* text) {
    return read_utc(text).value();
}

}  // namespace

TEST_CASE("the longer of the group's and the mesh's pause counts") {
    auto const now = at("2026-11-28T02:30:00Z");
    standing_orders group;
    standing_orders mesh;
    CHECK(pause_left(group, mesh, now).count() == 0);
    group.pause = pause_order{now + seconds(60), "root"};
    CHECK(pause_left(group, mesh, now) == seconds(60));
    mesh.pause = pause_order{now + seconds(90), "root"};
    CHECK(pause_left(group, mesh, now) == seconds(90));
    CHECK(pause_left(group, mesh, now + seconds(70)) == seconds(20));
    CHECK(pause_left(group, mesh, now + seconds(90)).count() == 0);
}

TEST_CASE("a switchover is due for a minute from its time, then it was missed") {
    later_switchover const order{"1", "thanos", at("2026-11-28T02:30:00Z"), "root"};
    CHECK(moment_of(order, at("2026-11-28T02:29:59Z")) == moment::early);
    CHECK(moment_of(order, at("2026-11-28T02:30:00Z")) == moment::due);
    CHECK(moment_of(order, at("2026-11-28T02:30:59Z")) == moment::due);
    CHECK(moment_of(order, at("2026-11-28T02:31:00Z")) == moment::missed);
}

TEST_CASE("orders are read as they were written, and others are refused with what was expected") {
    standing_orders orders;
    CHECK(decode_orders(encode(orders)).value() == orders);
    orders.pause = pause_order{at("2026-11-28T02:30:00Z"), "root@thanos"};
    orders.switchover = later_switchover{"7", "oracle1", at("2028-02-29T23:59:59Z"), "root"};
    CHECK(decode_orders(encode(orders)).value() == orders);
    CHECK(decode_orders("{").error().doing == "the standing orders: not JSON");
    auto const wrong = decode_orders(R"({"pause": {"until": "tomorrow", "by": "root"}})");
    CHECK_THAT(wrong.error().doing, Catch::Contains("until") && Catch::Contains("2026-11-28T"));
}

TEST_CASE("a time is UTC and says so") {
    CHECK(to_text(at("2026-11-28T02:30Z")) == "2026-11-28T02:30:00Z");
    CHECK(to_text(at("2026-11-28 02:30:07Z")) == "2026-11-28T02:30:07Z");
    for (auto const* const wrong :
         {"", "02:30", "2026-11-28T02:30", "2026-11-28T02:30:00+01:00", "2026-02-30T00:00Z",
          "2026-11-28T24:00Z", "2026-11-28T02:60Z", "2026-1x-28T02:30Z", "20261128T023000Z0000"}) {
        INFO(wrong);
        auto const read = read_utc(wrong);
        REQUIRE_FALSE(read.has_value());
        CHECK_THAT(read.error().doing, Catch::Contains("expected UTC"));
    }
}

TEST_CASE("the orders' key begins no lease's key") {
    CHECK(orders_key("redis") == "bevmesh/failover/.orders/redis");
    CHECK(orders_key(whole_mesh) == "bevmesh/failover/.orders/*");
}
