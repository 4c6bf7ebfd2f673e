// What the metrics say of a move: the time of each stage that has ended, and why a lease was taken.
#include "failover/driver/counts.hpp"

#include "tests/catch.hpp"

namespace bevmesh::failover {
namespace {

instant at(int ms) {
    return instant(milliseconds(ms));
}

std::optional<lease_record> record_of(lease_state state, std::string target = {}) {
    lease_record r;
    r.holder = "thanos";
    r.state = state;
    r.target = std::move(target);
    return r;
}

std::string_view reason_of(std::optional<lease_record> const& before) {
    driver_counts counts;
    counts.changed(stage::consulting, stage::taking, before, "oracle1", at(0));
    counts.changed(stage::taking, stage::ending_streams, record_of(lease_state::held), "oracle1",
                   at(1));
    for (auto const& [reason, n] : counts.takes())
        if (n == 1) return reason;
    return {};
}

TEST_CASE("A take is counted by what permitted it") {
    CHECK(reason_of(std::nullopt) == "no_record");
    CHECK(reason_of(record_of(lease_state::held)) == "lease_ran_out");
    CHECK(reason_of(record_of(lease_state::expired)) == "expired");
    CHECK(reason_of(record_of(lease_state::released)) == "released");
    CHECK(reason_of(record_of(lease_state::released, "oracle1")) == "switchover");
}

TEST_CASE("A take that fails is no take, and each stage's time is its own") {
    driver_counts counts;
    counts.changed(stage::observing, stage::taking, std::nullopt, "oracle1", at(0));
    counts.changed(stage::taking, stage::observing, std::nullopt, "oracle1", at(30));
    counts.changed(stage::observing, stage::taking, std::nullopt, "oracle1", at(1000));
    for (auto const& [reason, n] : counts.takes())
        CHECK(n == 0);
    CHECK(counts.stages().at("taking").count == 1);
    CHECK(counts.stages().at("taking").total == milliseconds(30));
    CHECK(counts.stages().at("observing").total == milliseconds(970));
}

}  // namespace
}  // namespace bevmesh::failover
