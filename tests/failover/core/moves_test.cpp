// Planned moves, and whom the server waits for: action by action, with a driver that answers at
// once.
#include <algorithm>

#include "failover/step.hpp"
#include "tests/catch.hpp"
#include "tests/failover/core/table.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;
using test::table;

TEST_CASE("the target of a planned move looks at its database again before it judges it") {
    table t(test::policy_of_a());
    t.give(started{"a1", "g1", std::nullopt});
    t.entry.emplace();
    t.entry->holder = "b";
    t.entry->epoch = 1;
    t.entry->members = t.policy.members;
    t.entry->configuration = t.policy.configuration;
    t.entry->in_sync = {{"a", "", "h1", 100}, {"b", "", "h1", 100}};
    for (auto i = 1; i < 10; ++i) {
        t.entry->write_id = "b1." + std::to_string(i);
        t.give(record_seen{0, ++t.index, t.entry});
        t.advance(milliseconds(190));
    }
    t.database.at = 150;  // what was written last, and nobody has looked since
    t.entry->state = lease_state::released;
    t.entry->target = "a";
    t.entry->released_at = 150;
    t.entry->write_id = "b1.10";
    (void)t.done();
    t.give(record_seen{0, ++t.index, t.entry});
    CHECK(t.entry->holder == "a");
    for (auto const& line : t.done())
        CHECK(line.find("not fit") == std::string::npos);
}

TEST_CASE("a switchover to a node that is not fit is refused with the reason") {
    table t(test::policy_of_a());
    t.serve();
    t.b->database.boot_fenced = false;
    t.advance(milliseconds(400));
    (void)t.done();
    t.give(ordered{order::switchover, "b"});
    CHECK(
        t.did("tell \"refuses to move db to b: b is not fit: its database would start as a "
              "primary: it is not boot-fenced\""));
    CHECK(t.core.at == stage::serving);
}

TEST_CASE("a refusal is no proof: the server waits for whoever the write named") {
    table t(test::policy_of_a());
    t.serve();
    t.b->database.upstream = "a";
    t.b->database.streaming = true;
    t.b->database.history = t.database.history;
    t.database.replicas = {{"b", t.database.at, true}};
    t.consul_repeats = true;
    while (!t.entry->entry_of("b"))
        t.advance(milliseconds(20));
    REQUIRE(t.core.hold->record.entry_of("b") == nullptr);
    (void)t.done();
    t.database.replicas.clear();
    while (!t.did("set gate 0"))
        t.advance(milliseconds(10));
    CHECK(t.entry->entry_of("b") == nullptr);
}

TEST_CASE("writes that a switchover paused are resumed until that is confirmed, and not beyond") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    t.drains = false;
    t.resumes = false;
    (void)t.done();
    t.give(ordered{order::switchover, "b"});
    t.advance(milliseconds(500));
    REQUIRE(t.did("tell \"the switchover of db ends where it began"));
    CHECK(t.did("resume"));
    (void)t.done();
    t.advance(seconds(2));
    auto const again = t.done();
    auto const tries = std::ranges::count_if(
        again, [](std::string const& line) { return line.starts_with("resume"); });
    CHECK(tries >= 2);
    CHECK(tries < 20);
    SECTION("confirmed") {
        t.resumes = true;
        t.advance(seconds(1));
    }
    SECTION("the primary is being fenced") {
        t.consul_answers = false;
        t.b_promises = false;
        t.advance(seconds(5));
        REQUIRE(t.did("fence"));
    }
    (void)t.done();
    t.advance(seconds(2));
    CHECK_FALSE(t.did("resume"));
}
