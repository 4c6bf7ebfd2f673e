#include "failover/record.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;

namespace {

lease_record full() {
    lease_record r;
    r.epoch = 7;
    r.holder = "thanos";
    r.guard_id = "0123";
    r.write_id = "t1.9";
    r.members = {"oracle1", "thanos"};
    r.in_sync = {{"thanos", "run1", "h1", 42}, {"oracle1", "", "h1", 40}};
    r.state = lease_state::released;
    r.target = "oracle1";
    r.released_at = 99;
    r.term = milliseconds(5000);
    r.reason = "a switchover to oracle1";
    r.published = true;
    r.configuration = "cafe";
    r.automatic = 6;
    r.acked = 5;
    r.order_done = "o1";
    return r;
}

}  // namespace

TEST_CASE("a lease record survives its JSON") {
    auto const read = decode_record(encode(full()));
    REQUIRE(read.has_value());
    CHECK(*read == full());
    lease_memory const m{12, full(), true};
    auto const remembered = decode_memory(encode(m));
    REQUIRE(remembered.has_value());
    CHECK(*remembered == m);
}

TEST_CASE("what is no record is refused") {
    for (auto const* text : {"", "{}", "[]", "null", "7", R"({"write_id":"x","holder":"a"})",
                             R"({"write_id":"x","holder":"a","members":["a"],"state":"mine"})"}) {
        INFO(text);
        CHECK_FALSE(decode_record(text).has_value());
    }
}

TEST_CASE("an in-sync entry holds for the data that it was written for") {
    database_facts facts;
    facts.process = "run1";
    facts.history = {"h2", {{"h1", 50}}};
    facts.at = 60;
    CHECK(in_sync_entry{"a", "run1", "h1", 42}.still_true(facts));
    CHECK_FALSE(in_sync_entry{"a", "run0", "h1", 42}.still_true(facts));  // a Redis that was reborn
    CHECK(in_sync_entry{"a", "", "h1", 42}.still_true(facts));
    CHECK_FALSE(in_sync_entry{"a", "", "h9", 42}.still_true(facts));  // another history
    CHECK_FALSE(in_sync_entry{"a", "", "h1", 61}.still_true(facts));  // an older backup
}
