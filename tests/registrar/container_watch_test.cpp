// What an end of a run means before an inspect can tell: Docker's event is believed, once.
#include "registrar/container_watch.hpp"

#include <algorithm>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

/// A watch that has seen one container running, since 12:00:00.68.
struct fixture {
    registrar_config policy;
    container_watch watch{policy};
    instant now{std::chrono::hours(1)};
    std::vector<action> out;
    docker::container db;

    fixture() {
        db.id = "id";
        db.name = "db";
        db.state = docker::run_state::running;
        db.started_at = "2026-01-01T12:00:00.68Z";
        watch.on_engine_up(now, out);
        watch.on_listed({{{db.id, "1"}}}, now, out);
        inspect(db);
        (void)watch.take_changed();
    }

    void die(std::string const& at) { watch.on_hint({db.id, "die", at}, now, out); }
    void inspect(docker::container const& c) {
        out.clear();
        watch.on_inspected(c, now, out);
    }
    bool inspecting() const {
        return std::ranges::any_of(
            out, [](auto const& a) { return std::holds_alternative<inspect_container>(a); });
    }
    void pass(milliseconds time) {
        now += time;
        watch.on_tick(now, out);
    }
};

}  // namespace

TEST_CASE("a run that ended is gone before the engine lets anybody look, and is looked at") {
    fixture f;
    f.die("2026-01-01T12:00:00.680000001Z");
    CHECK(f.watch.find("id") == nullptr);
    CHECK(f.watch.take_changed() == std::set<std::string>{"id"});
    CHECK(f.inspecting());
}

TEST_CASE("the end of an earlier run says nothing of the present one") {
    fixture f;
    auto const* at = "2026-01-01T12:00:00.670000000Z";
    SECTION("before it began") {}
    SECTION("without a time") {
        at = "";
    }
    f.die(at);
    CHECK(f.watch.find("id") != nullptr);
    CHECK(f.watch.take_changed().empty());
}

TEST_CASE("a look that was older than the end does not bring the run back") {
    fixture f;
    f.die("2026-01-01T12:00:01Z");
    (void)f.watch.take_changed();
    f.inspect(f.db);
    CHECK(f.watch.find("id") == nullptr);
    CHECK(f.watch.take_changed().empty());
    f.pass(milliseconds(250));
    REQUIRE(f.inspecting());
    SECTION("and it is gone when the next look agrees") {
        f.db.state = docker::run_state::exited;
        f.inspect(f.db);
        CHECK(f.watch.find("id") == nullptr);
        CHECK(f.watch.idle());
    }
    SECTION("but what is found a second time is so, whatever the clock said") {
        f.inspect(f.db);
        CHECK(f.watch.find("id") != nullptr);
    }
}

TEST_CASE("after the end, a container that restarts or runs again is back at the first look") {
    fixture f;
    f.die("2026-01-01T12:00:01Z");
    (void)f.watch.take_changed();
    SECTION("restarting") {
        f.db.state = docker::run_state::restarting;
    }
    SECTION("running again") {
        f.db.started_at = "2026-01-01T12:00:02Z";
    }
    f.inspect(f.db);
    REQUIRE(f.watch.find("id") != nullptr);
    CHECK(f.watch.find("id")->state == f.db.state);
    CHECK(f.watch.take_changed() == std::set<std::string>{"id"});
}
