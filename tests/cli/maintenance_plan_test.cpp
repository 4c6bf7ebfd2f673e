// What is said before a service goes into maintenance.
#include "mesh/cli/maintenance_plan.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using bevmesh::cli::plan_maintenance;
using nlohmann::json;
using lines = std::vector<std::string>;

namespace {

json const answer = json::parse(R"({
  "services": [{"name": "redis", "instances": [
    {"id": "redis", "node": "thanos", "address": "10.0.0.1", "port": 6379, "status": "passing"},
    {"id": "redis", "node": "oracle1", "address": "10.0.0.2", "port": 6379, "status": "passing"}]},
    {"name": "web", "instances": [
    {"id": "web-1", "node": "thanos", "address": "10.0.0.1", "port": 80, "status": "passing"}]}],
  "local": [{"id": "redis", "name": "redis", "phase": "announced"},
            {"id": "web-1", "name": "web", "phase": "announced"},
            {"id": "new", "name": "new", "phase": "announcing"}]})");

}  // namespace

TEST_CASE("maintenance says what it is about and who still answers") {
    auto const plan = plan_maintenance({"redis", true, "disk"}, answer, "thanos");
    CHECK(plan.lines == lines{"redis on thanos: into maintenance",
                              "  redis at 10.0.0.1:6379, passing", "  reason: disk",
                              "  answered by 1 other instance"});
    CHECK(plan.instances == lines{"redis"});
    CHECK(!plan.last);
}

TEST_CASE("taking the last instance away is said") {
    auto const plan = plan_maintenance({"web-1", true, ""}, answer, "thanos");
    CHECK(plan.last);
    CHECK(plan.lines.back() == "  no other instance answers: the name will resolve to nothing");
}

TEST_CASE("an instance that Consul has not yet is named with its phase") {
    auto const plan = plan_maintenance({"new", false, ""}, answer, "thanos");
    CHECK(plan.lines ==
          lines{"new on thanos: out of maintenance", "  new, not in Consul (announcing)"});
}

TEST_CASE("a service that this node does not have has no plan") {
    CHECK(plan_maintenance({"nginx", true, ""}, answer, "thanos").instances.empty());
    CHECK(plan_maintenance({"redis", true, ""}, json(), "thanos").instances.empty());
}
