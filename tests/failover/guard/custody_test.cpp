#include "failover/guard/custody.hpp"

#include <limits>

#include "tests/catch.hpp"

namespace bevmesh::failover::guard {
namespace {

instant at(int ms) {
    return instant(seconds(1000)) + milliseconds(ms);
}

term until(int ms, int margin = 0) {
    return {to_wire(at(ms)), nanoseconds(milliseconds(margin)).count()};
}

victim_id process(std::int32_t pid) {
    victim_id who;
    who.pid = pid;
    who.start_ticks = 77;
    return who;
}

custody armed(int deadline, int margin = 0) {
    custody c;
    REQUIRE(c.may_arm(at(0), process(10), until(deadline, margin)) == verdict::done);
    c.arm(process(10), until(deadline, margin));
    return c;
}

TEST_CASE("The kill is due its margin before the deadline, once") {
    auto c = armed(1000, 200);
    CHECK(c.kill_at() == at(800));
    CHECK_FALSE(c.due(at(799)));
    CHECK(c.due(at(800)));
    CHECK(c.phase() == phase::killing);
    CHECK(c.cause() == death::deadline);
    CHECK_FALSE(c.due(at(801)));
}

TEST_CASE("A deadline moves forward") {
    auto c = armed(1000, 200);
    CHECK(c.extend(at(500), until(2000, 200), false) == verdict::done);
    CHECK(c.kill_at() == at(1800));
}

TEST_CASE("An earlier deadline, from an answer that came late, changes nothing") {
    auto c = armed(2000);
    CHECK(c.extend(at(500), until(1500), false) == verdict::done);
    CHECK(c.kill_at() == at(2000));
    CHECK(c.extend(at(500), until(2000, 100), false) == verdict::done);
    CHECK(c.kill_at() == at(2000));
}

TEST_CASE("An earlier deadline is obeyed when it is meant, also if it is past") {
    auto c = armed(60'000);
    CHECK(c.extend(at(500), until(1500), true) == verdict::done);
    CHECK(c.kill_at() == at(1500));
    CHECK(c.extend(at(600), until(550), true) == verdict::too_late);
    CHECK(c.phase() == phase::killing);
}

TEST_CASE("An extension that comes after the deadline revives nothing, also when nobody looked") {
    auto c = armed(1000);
    CHECK(c.extend(at(1000), until(3000), false) == verdict::too_late);
    CHECK(c.phase() == phase::killing);
    CHECK(c.extend(at(1001), until(3000), true) == verdict::too_late);
    CHECK(c.forget(at(1002)) == verdict::too_late);
    CHECK(c.may_arm(at(1003), process(11), until(3000)) == verdict::too_late);
}

TEST_CASE("Forgetting comes too late after the deadline, and is complete before it") {
    auto late = armed(1000);
    CHECK(late.forget(at(1000)) == verdict::too_late);
    auto c = armed(1000);
    CHECK(c.forget(at(999)) == verdict::done);
    CHECK_FALSE(c.due(at(5000)));
    CHECK(c.extend(at(999), until(3000), false) == verdict::not_armed);
    CHECK(c.phase() == phase::idle);
}

TEST_CASE("A deadline out of bounds is refused") {
    custody c;
    CHECK(c.may_arm(at(0), process(10), until(0)) == verdict::out_of_range);
    CHECK(c.may_arm(at(0), process(10), until(100, 100)) == verdict::out_of_range);
    CHECK(c.may_arm(at(0), process(10), until(100, -100)) == verdict::out_of_range);
    CHECK(c.may_arm(at(0), process(10), until(1'000'000)) == verdict::out_of_range);
    term far;
    far.deadline_ns = std::numeric_limits<std::int64_t>::max();
    CHECK(c.may_arm(at(0), process(10), far) == verdict::out_of_range);
    auto held = armed(1000);
    CHECK(held.extend(at(0), until(1'000'000), false) == verdict::out_of_range);
    CHECK(held.kill_at() == at(1000));
}

TEST_CASE("Another process is taken only after the one that is held has died or was forgotten") {
    auto c = armed(1000);
    CHECK(c.may_arm(at(0), process(11), until(1000)) == verdict::other_victim);
    auto reused = process(10);
    reused.start_ticks = 78;
    CHECK(c.may_arm(at(0), reused, until(1000)) == verdict::other_victim);
    CHECK(c.may_arm(at(0), process(10), until(2000)) == verdict::done);
    c.died(at(10));
    CHECK(c.cause() == death::by_itself);
    CHECK(c.extend(at(20), until(2000), false) == verdict::already_dead);
    CHECK(c.may_arm(at(20), process(11), until(1000)) == verdict::done);
}

TEST_CASE("Arming again never shortens") {
    auto c = armed(2000);
    c.arm(process(10), until(1000));
    CHECK(c.kill_at() == at(2000));
}

TEST_CASE("A fence kills what is held, and has nothing to do where nothing is") {
    auto c = armed(1000);
    CHECK(c.fence(at(1)) == verdict::done);
    CHECK(c.phase() == phase::killing);
    CHECK(c.cause() == death::asked);
    c.struck(at(2));
    c.struck(at(3));
    c.died(at(4));
    CHECK(c.struck_at() == at(2));
    CHECK(c.dead_at() == at(4));
    CHECK(c.fence(at(5)) == verdict::done);
    CHECK(c.phase() == phase::dead);
    CHECK(custody().fence(at(0)) == verdict::not_armed);
}

TEST_CASE("A message is read only whole, of our version, and within bounds") {
    request r;
    r.what = verb::extend;
    r.blob_size = 3;
    r.blob = {'a', 'b', 'c'};
    auto const bytes = wire(r);
    request got;
    REQUIRE(read(bytes, got));
    CHECK(got.blob_size == 3);
    CHECK(got.blob[2] == 'c');
    CHECK_FALSE(read(bytes.first(bytes.size() - 1), got));
    CHECK_FALSE(read(bytes.first(3), got));
    r.version = 2;
    CHECK_FALSE(read(wire(r), got));
    r.version = version;
    r.what = static_cast<verb>(40);
    CHECK_FALSE(read(wire(r), got));
    r.what = verb::arm;
    r.victim.cgroup.fill('x');
    CHECK_FALSE(read(wire(r), got));
    answer a;
    answer back;
    REQUIRE(read(wire(a), back));
    a.said = static_cast<verdict>(99);
    CHECK_FALSE(read(wire(a), back));
}

}  // namespace
}  // namespace bevmesh::failover::guard
