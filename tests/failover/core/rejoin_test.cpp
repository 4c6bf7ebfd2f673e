// The way back of a database that has writes which the new primary lacks.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/failover/core/table.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;
using test::table;

namespace {

std::size_t count_of(std::vector<std::string> const& lines, std::string const& beginning) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [&](auto const& line) { return line.starts_with(beginning); }));
}

std::size_t told(std::vector<std::string> const& lines, std::string const& part) {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(),
                      [&](auto const& line) { return line.find(part) != std::string::npos; }));
}

}  // namespace

TEST_CASE("what the new primary lacks goes to quarantine before it is given up") {
    table t(test::policy_of_a());
    t.diverged = true;
    t.give(started{"a1", "g1", std::nullopt});
    t.follow_b(seconds(2));
    auto const lines = t.done();
    CHECK(count_of(lines, "quarantine what b lacks") == 1);
    CHECK(count_of(lines, "resync") == 1);
    CHECK(t.database.upstream == "b");
}

TEST_CASE("a quarantine that fails is told once, tried again ever later, and gives nothing up") {
    table t(test::policy_of_a());
    t.diverged = true;
    t.quarantine_fails = "write /q/db: No space left on device";
    t.give(started{"a1", "g1", std::nullopt});
    t.follow_b(seconds(20));
    auto const lines = t.done();
    CHECK(told(lines,
               "cannot copy what the database of db holds to quarantine: "
               "write /q/db: No space left on device") == 1);
    // After 0.2, 0.4, 0.8, 1.6, 3.2, 6.4 s.
    CHECK(count_of(lines, "quarantine what b lacks") >= 5);
    CHECK(count_of(lines, "quarantine what b lacks") <= 8);
    CHECK(count_of(lines, "resync") == 0);

    t.quarantine_fails.clear();
    t.follow_b(seconds(20));
    CHECK(count_of(t.done(), "resync") == 1);
    CHECK(t.database.upstream == "b");
}

TEST_CASE("a database that lacks what the new primary no longer has is made anew") {
    table t(test::policy_of_a());
    t.behind = true;
    t.give(started{"a1", "g1", std::nullopt});
    t.follow_b(seconds(2));
    auto const lines = t.done();
    CHECK(told(lines, "the database of db lacks writes that b no longer keeps for it") == 1);
    // It has nothing of its own.
    CHECK(count_of(lines, "quarantine") == 0);
    CHECK(count_of(lines, "resync") == 1);
    CHECK(t.database.upstream == "b");
}

TEST_CASE("a copy that counts is not given up, and an answer about another primary says nothing") {
    table t(test::policy_of_a());
    t.behind = true;
    SECTION("it is recorded as in sync") {
        t.follow_b(milliseconds(0));
        in_sync_entry mine;
        mine.node = "a";
        t.entry->in_sync = {mine};
        t.give(started{"a1", "g1", std::nullopt});
        t.follow_b(seconds(2));
    }
    SECTION("the lease has changed hands meanwhile") {
        t.answers_follow = false;
        t.give(started{"a1", "g1", std::nullopt});
        t.follow_b(milliseconds(300));
        REQUIRE(t.did("follow b"));
        t.entry->holder = "c";
        t.follow_b(milliseconds(300));
        REQUIRE(t.core.seen.record->holder == "c");
        carried_out late{t.core.repoint.op, outcome::refused};
        late.behind = true;
        t.give(late);
    }
    CHECK(count_of(t.done(), "resync") == 0);
}

TEST_CASE("a start that fails is tried again ever later") {
    table t(test::policy_of_a());
    t.starts = false;
    t.database = {};
    t.database.condition = condition::refused;
    t.give(started{"a1", "g1", std::nullopt});
    t.follow_b(seconds(30));
    // After 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10 s.
    CHECK(count_of(t.done(), "start") >= 5);
    t.follow_b(seconds(30));
    CHECK(count_of(t.done(), "start") <= 4);
}

TEST_CASE("a resync that fails is told and tried again, without another copy") {
    table t(test::policy_of_a());
    t.diverged = true;
    t.resyncs = false;
    t.give(started{"a1", "g1", std::nullopt});
    t.follow_b(seconds(10));
    auto const lines = t.done();
    CHECK(told(lines, "cannot make the database of db follow b") == 1);
    CHECK(count_of(lines, "quarantine what b lacks") == 1);
    CHECK(count_of(lines, "resync") >= 4);
    CHECK(count_of(lines, "resync") <= 7);

    t.resyncs = true;
    t.follow_b(seconds(10));
    CHECK(t.database.upstream == "b");
}
