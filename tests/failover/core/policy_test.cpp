#include "failover/policy.hpp"

#include "tests/catch.hpp"
#include "tests/failover/core/table.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;

TEST_CASE("the shipped profiles keep their inequalities") {
    for (auto const* name : {"tailnet", "lan", "wan"}) {
        INFO(name);
        REQUIRE(profile(name).has_value());
        CHECK(problem_of(*profile(name), name).empty());
    }
    CHECK_FALSE(profile("moon").has_value());
}

TEST_CASE("a profile that breaks an inequality is refused with the sum") {
    auto t = *profile("lan");
    t.lease = milliseconds(900);
    CHECK(problem_of(t, "x") ==
          "profile x: h + 3R + F = 0.2 + 3 × 0.15 + 0.3 = 0.95 s, over L = 0.9 s: a lost answer "
          "would cost the lease");
    t = *profile("lan");
    t.promise = milliseconds(450);
    CHECK(problem_of(t, "x") ==
          "profile x: p + 2R + F = 0.45 + 2 × 0.15 + 0.3 = 1.05 s, over L = 1 s: a round of "
          "promises would come too late");
}

TEST_CASE("the old wan numbers are refused: clocks at 5 % overlap") {
    auto t = *profile("wan");
    t.observer = seconds(10);
    CHECK(problem_of(t, "wan") ==
          "profile wan: L (1+r)/(1-r) + K (1+r) = 10.5 + 0.21 = 10.71 s, over O = 10 s: an "
          "observer could take while the holder still serves");
}

TEST_CASE("a term for a planned restart is bounded by the clocks' error") {
    auto p = test::policy_of_a();
    p.planned_term = longest_term(p.timing) + milliseconds(1);
    CHECK_FALSE(checked(p, "lan").has_value());
    p.planned_term = longest_term(p.timing);
    CHECK(checked(p, "lan").has_value());
    p.planned_term = milliseconds(500);
    CHECK_FALSE(checked(p, "lan").has_value());  // below L
}

TEST_CASE("members with another configuration are told apart") {
    auto p = test::policy_of_a();
    auto q = p;
    q.sync = sync_mode::strict;
    CHECK(checked(p, "lan")->configuration == p.configuration);
    CHECK(checked(q, "lan")->configuration != p.configuration);
    q = p;
    q.self = "b";
    q.priority = 7;
    CHECK(checked(q, "lan")->configuration == p.configuration);
}

TEST_CASE("a group needs this node, and each member once") {
    auto p = test::policy_of_a();
    p.members = {"b", "c"};
    CHECK_FALSE(checked(p, "lan").has_value());
    p.members = {"a", "b", "b"};
    CHECK_FALSE(checked(p, "lan").has_value());
}
