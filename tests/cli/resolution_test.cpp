// Names completed, and DNS beside the API: each way to agree and to differ.
#include "mesh/cli/resolution.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::cli;
using nlohmann::json;
using verdict = bevmesh::cli::resolution::verdict;

namespace {

json const instances = json::parse(R"([
  {"id": "r1", "node": "thanos", "address": "100.122.12.54", "port": 6379,
   "status": "passing"},
  {"id": "r2", "node": "oracle1", "address": "100.96.197.84", "port": 6379,
   "status": "critical"}])");

service_name redis() {
    return {"redis.service.consul", "redis"};
}

dns_side dns_with(std::set<std::string> addresses, std::set<address_port> ports) {
    return {{"127.0.0.1:53"}, std::move(addresses), std::move(ports), {}};
}

resolution of(dns_side const& dns) {
    return compare(redis(), dns, {&instances, {}});
}

}  // namespace

TEST_CASE("a service's name is completed") {
    auto const full = [](std::string const& name) {
        auto const made = complete_name(name, "consul");
        return made ? made->dns + " " + made->api : "error";
    };
    CHECK(full("redis") == "redis.service.consul redis");
    CHECK(full("redis.service.consul") == "redis.service.consul redis");
    CHECK(full("Redis.Service.Consul.") == "redis.service.consul redis");
    CHECK(full("redis.service") == "redis.service.consul redis");
    CHECK(full("primary.redis") == "primary.redis.service.consul primary.redis");
    CHECK(full("primary.redis.service.consul") == "primary.redis.service.consul primary.redis");
    CHECK(complete_name("redis", "bev.internal")->dns == "redis.service.bev.internal");
}

TEST_CASE("what is no service's name is refused with a reason") {
    for (auto const* name : {"", ".", "a..b", "re dis", "a/b", "thanos.node.consul", "\x1b[2J",
                             "0123456789012345678901234567890123456789012345678901234567890123"}) {
        CAPTURE(name);
        auto const made = complete_name(name, "consul");
        REQUIRE(!made);
        CHECK(made.error().code == errc::bad_input);
    }
    CHECK(complete_name("thanos.node.consul", "consul").error().doing ==
          "thanos.node.consul is not the name of a service; expected NAME or NAME.service.consul");
}

TEST_CASE("addresses are compared by value") {
    CHECK(canonical_address("FD00:0:0::1") == "fd00::1");
    CHECK(canonical_address("10.0.0.1") == "10.0.0.1");
    CHECK(!canonical_address("redis.example"));
    CHECK(!canonical_address("10.0.0.01x"));
}

TEST_CASE("DNS that answers what is passing agrees") {
    auto const r = of(dns_with({"100.122.12.54"}, {{"100.122.12.54", 6379}}));
    CHECK(r.is == verdict::agree);
    CHECK(judge(r) == exit_status::done);
    CHECK(r.differences.empty());
    CHECK(draw(r, {}) ==
          "redis.service.consul\n"
          "ADDRESS        PORT  NODE     INSTANCE  STATUS (API)  A/AAAA  SRV\n"
          "100.122.12.54  6379  thanos   r1        passing       yes     yes\n"
          "100.96.197.84  6379  oracle1  r2        critical      no      no\n"
          "DNS (127.0.0.1:53) and the API agree\n");
}

TEST_CASE("each way to differ is said, and is degraded") {
    auto const check = [](dns_side const& dns, std::string const& sentence) {
        auto const r = of(dns);
        CAPTURE(sentence);
        CHECK(r.is == verdict::differ);
        CHECK(judge(r) == exit_status::degraded);
        REQUIRE(r.differences.size() == 1);
        CHECK(r.differences.front() == sentence);
        CHECK(draw(r, {}).ends_with("  " + sentence + "\n"));
    };
    check(dns_with({}, {}), "DNS does not answer 100.122.12.54:6379 (thanos, passing)");
    check(dns_with({"100.122.12.54"}, {}),
          "DNS has an address record but no SRV record for 100.122.12.54:6379 (thanos, passing)");
    check(dns_with({}, {{"100.122.12.54", 6379}}),
          "DNS has an SRV record but no address record for 100.122.12.54:6379 (thanos, passing)");
    check(dns_with({"100.122.12.54", "100.96.197.84"}, {{"100.122.12.54", 6379}}),
          "DNS answers 100.96.197.84:6379 (oracle1, critical), which it should not");
    check(dns_with({"100.122.12.54", "10.9.9.9"}, {{"100.122.12.54", 6379}}),
          "DNS answers 10.9.9.9, which the API does not know");
    check(dns_with({"100.122.12.54"}, {{"100.122.12.54", 6379}, {"10.9.9.9", 1}}),
          "DNS answers 10.9.9.9:1, which the API does not know");
}

TEST_CASE("two instances on one address: the healthy one earns the address record") {
    auto const both = json::parse(R"([
      {"id": "a", "node": "n", "address": "10.0.0.1", "port": 1, "status": "passing"},
      {"id": "b", "node": "n", "address": "10.0.0.1", "port": 2, "status": "critical"}])");
    CHECK(compare(redis(), dns_with({"10.0.0.1"}, {{"10.0.0.1", 1}}), {&both, {}}).is ==
          verdict::agree);
    CHECK(compare(redis(), dns_with({"10.0.0.1"}, {{"10.0.0.1", 1}, {"10.0.0.1", 2}}), {&both, {}})
              .is == verdict::differ);
}

TEST_CASE("one place registered twice is judged by the registration that passes") {
    auto const twice = json::parse(R"([
      {"id": "a", "node": "n", "address": "10.0.0.1", "port": 1, "status": "passing"},
      {"id": "b", "node": "n", "address": "10.0.0.1", "port": 1, "status": "critical"}])");
    CHECK(compare(redis(), dns_with({"10.0.0.1"}, {{"10.0.0.1", 1}}), {&twice, {}}).is ==
          verdict::agree);
}

TEST_CASE("a name that nothing answers to is degraded") {
    auto const r = compare(redis(), dns_with({}, {}), {});
    CHECK(r.is == verdict::nothing);
    CHECK(judge(r) == exit_status::degraded);
    auto const down = json::parse(R"([{"id": "a", "node": "n", "address": "10.0.0.1", "port": 1,
                                       "status": "maintenance"}])");
    CHECK(compare(redis(), dns_with({}, {}), {&down, {}}).is == verdict::nothing);
}

TEST_CASE("an answer that is missing decides the exit status") {
    auto dns = dns_with({}, {});
    dns.problem = failure{errc::timed_out, "DNS"};
    CHECK(judge(of(dns)) == exit_status::timed_out);
    dns.problem = failure{errc::remote_error, "SERVFAIL"};
    CHECK(judge(of(dns)) == exit_status::remote_error);
    auto const no_api = compare(redis(), dns, {nullptr, failure{errc::unreachable, "API"}});
    CHECK(judge(no_api) == exit_status::remote_error);
    CHECK(no_api.is == verdict::unknown);
    CHECK(to_json(no_api)["problems"].size() == 2);
}

TEST_CASE("the JSON form has every row with both sides") {
    auto const j = to_json(of(dns_with({"100.122.12.54"}, {{"100.122.12.54", 6379}})));
    CHECK(j["verdict"] == "agree");
    CHECK(j["name"] == "redis.service.consul");
    CHECK(j["instances"].size() == 2);
    CHECK(j["instances"][0]["dns_srv"] == true);
    CHECK(j["instances"][1]["dns_address"] == false);
}
