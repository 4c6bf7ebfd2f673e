// Failover groups in the document: what they mean, and what is refused.
#include "config/loader.hpp"
#include "config/size.hpp"
#include "failover/configured.hpp"
#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

std::string const with_tls = head + "tls: {certificate: /t/c.pem, key: /t/k.pem, ca: /t/ca.pem}\n";

lines problems_of_group(std::string const& keys) {
    return problems_of(with_tls + "failover:\n  redis: {" + keys + "}\n");
}

std::string const good = "kind: redis, members: [n1, n2], container: redis";

}  // namespace

TEST_CASE("a failover group in one line, and what it does not say") {
    auto const made = load_text(with_tls + "failover: {redis: {" + good + "}}\n", "f");
    REQUIRE(made.problems.empty());
    auto const& group = made.value.failover.at(0);
    CHECK(group.name == "redis");
    auto const p = failover::policy_of(group, "n1");
    REQUIRE(p.has_value());
    CHECK(p->timing == *failover::profile("tailnet"));
    CHECK(p->sync == failover::sync_mode::on);
    CHECK(p->priority == 100);
    CHECK_FALSE(p->failback_after.has_value());
    CHECK(failover::placement_of(group, "n2").port == 6379);
    CHECK(failover::policy_of(group, "n2")->configuration == p->configuration);
}

TEST_CASE("a group takes container and port from the service of its name") {
    auto const made = load_text(with_tls +
                                    "services: {cache: {match: {container: the-redis}, port: 7000, "
                                    "nodes: [n1, n2]}}\n"
                                    "failover: {cache: {kind: redis, members: [n1, n2]}}\n",
                                "f");
    REQUIRE(made.problems.empty());
    auto const where = failover::placement_of(made.value.failover.at(0), "n1");
    CHECK(where.container == "the-redis");
    CHECK(where.port == 7000);
}

TEST_CASE("what is other on a member is said under its name") {
    auto const made = load_text(with_tls + "failover: {redis: {" + good +
                                    ", on: {n2: {unit: redis-b.service, port: 6380, priority: 0}}}}"
                                    "\n",
                                "f");
    REQUIRE(made.problems.empty());
    auto const& group = made.value.failover.at(0);
    auto const where = failover::placement_of(group, "n2");
    CHECK(where.container.empty());
    CHECK(where.unit == "redis-b.service");
    CHECK(where.port == 6380);
    CHECK(failover::policy_of(group, "n2")->priority == 0);
    CHECK(failover::placement_of(group, "n1").container == "redis");
}

TEST_CASE("durations that let two primaries be are refused with the sum") {
    CHECK(problems_of_group(good + ", profile: lan, timing: {observer: 1s}") ==
          lines{"f:5:83: failover.redis.timing: failover group redis: profile lan: L (1+r)/(1-r) + "
                "K (1+r) = 1.105 + 0.105 = 1.21 s, over O = 1 s: an observer could take while the "
                "holder still serves; expected durations that keep two primaries apart"});
    CHECK(
        problems_of_group(good + ", profile: lan, timing: {lease: 1100ms, observer: 2s}").empty());
    CHECK(problems_of_group(good + ", restart_term: 5m").size() == 1);
}

TEST_CASE("members are nodes, each once, and two at least") {
    CHECK(problems_of_group("kind: redis, members: [n1, n3], container: redis").size() == 1);
    CHECK(problems_of_group("kind: redis, members: [n1, n1], container: redis").size() == 1);
    CHECK(problems_of_group("kind: redis, members: [n1], container: redis").size() == 1);
    CHECK(problems_of_group(good + ", preferred: n9").size() == 1);
    CHECK(problems_of_group(good + ", on: {n9: {port: 1}}").size() == 1);
}

TEST_CASE("a group needs certificates of its members, a place, and a kind that is known") {
    auto const group = "failover: {redis: {" + good + "}}\n";
    CHECK(problems_of(head + group) ==
          lines{"f:3:19: failover.redis: needs `vault` or `tls`, and neither is there: members ask "
                "each other; expected vault: with addresses, or tls: with certificate, key and "
                "ca"});
    CHECK(problems_of(head + "vault: {addresses: ['https://10.0.0.1:8200']}\n" + group).empty());
    CHECK(problems_of_group("kind: redis, members: [n1, n2]").size() == 1);
    CHECK(problems_of_group("kind: mysql, members: [n1, n2], container: xx").size() == 1);
    CHECK(problems_of_group(good + ", unit: redis.service").size() == 1);
    CHECK(problems_of_group(good + ", user: mesh").size() == 1);
}

TEST_CASE("two groups do not share a database") {
    CHECK(problems_of(with_tls + "failover:\n  a: {" + good + "}\n  b: {" + good + "}\n").size() ==
          1);
}

TEST_CASE("sizes have units of 1024") {
    CHECK(parse_size("16MiB") == 16U << 20U);
    CHECK(parse_size("0B") == 0);
    CHECK_FALSE(parse_size("16").has_value());
    CHECK_FALSE(parse_size("16MB").has_value());
    CHECK_FALSE(parse_size("99999999999GiB").has_value());
    CHECK(format_size(1536) == "1536B");
    CHECK(format_size(512U << 10U) == "512KiB");
    CHECK(problems_of_group(good + ", lag_max: 16").size() == 1);
}

}  // namespace bevmesh::config
