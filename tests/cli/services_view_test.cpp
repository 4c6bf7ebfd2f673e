// The list of services: order, filters, what is shown of each, answers of another shape.
#include "mesh/cli/services_view.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh::cli;
using nlohmann::json;

namespace {

json answer() {
    return json::parse(R"({
      "services": [
        {"name": "redis", "instances": [
          {"id": "redis-2", "node": "thanos", "address": "100.122.12.54", "port": 6379,
           "tags": ["primary"], "meta": {}, "owner": "bevmesh@thanos", "status": "critical",
           "checks": [
             {"id": "c1", "name": "tcp 6379", "status": "passing", "output": "ok", "type": "tcp"},
             {"id": "c2", "name": "redis", "status": "critical", "output": "LOADING\nwait",
              "notes": "", "type": "ttl"}]},
          {"id": "redis-1", "node": "oracle1", "address": "100.96.197.84", "port": 6379,
           "tags": [], "meta": {}, "owner": "", "status": "passing", "checks": []}]},
        {"name": "consul", "instances": [
          {"id": "consul", "node": "thanos", "address": "fd00::1", "port": 8300,
           "tags": ["web", "stand-in"], "status": "maintenance", "checks": []}]}],
      "local": [
        {"id": "redis-2", "name": "redis", "container": "redis", "source": "configuration",
         "phase": "announced", "detail": ""},
        {"id": "web", "name": "web", "container": "web", "source": "labels", "phase": "refused",
         "detail": "Consul already has web of another owner"}]})");
}

}  // namespace

TEST_CASE("services are a line an instance, in order, with what is not announced below") {
    auto const drawn = draw_services(select_services(answer(), {}), false, {});
    CHECK(drawn ==
          "NAME    INSTANCE  NODE     ADDRESS             STATUS       CHECKS  TAGS\n"
          "consul  consul    thanos   [fd00::1]:8300      maintenance  -       stand-in, web\n"
          "redis   redis-1   oracle1  100.96.197.84:6379  passing      -       -\n"
          "redis   redis-2   thanos   100.122.12.54:6379  critical     1/2     primary\n"
          "\n"
          "NOT ANNOUNCED HERE  INSTANCE  CONTAINER  SOURCE  PHASE    DETAIL\n"
          "web                 web       web        labels  refused  Consul already has web of "
          "another owner\n");
}

TEST_CASE("the checks of a service show their output on one line") {
    auto const drawn = draw_services(select_services(answer(), {}), true, {});
    CHECK(drawn.find("redis     redis-2   thanos  critical  LOADING\\nwait\n") !=
          std::string::npos);
}

TEST_CASE("filters by node and by status apply to both parts") {
    auto const on_thanos = select_services(answer(), {"thanos", "", "thanos"});
    CHECK(on_thanos["services"].size() == 2);
    CHECK(on_thanos["services"][1]["instances"].size() == 1);
    CHECK(on_thanos["local"].size() == 2);
    auto const elsewhere = select_services(answer(), {"oracle1", "", "thanos"});
    CHECK(elsewhere["services"].size() == 1);
    CHECK(elsewhere["local"].empty());
    auto const critical = select_services(answer(), {"", "critical", ""});
    CHECK(critical["services"].size() == 1);
    CHECK(critical["local"].empty());
    auto const refused = select_services(answer(), {"", "refused", ""});
    CHECK(refused["services"].empty());
    CHECK(refused["local"].size() == 1);
}

TEST_CASE("nothing to show draws nothing") {
    CHECK(draw_services(select_services(answer(), {"nowhere", "", "thanos"}), true, {}).empty());
}

TEST_CASE("an answer of another shape is drawn as far as it goes") {
    for (auto const* text :
         {"null", "[]", "{}", "7", R"({"services": 3, "local": {}})",
          R"({"services": [1, {"name": 5, "instances": [null, {"port": "x"}]}]})",
          R"({"local": [[], {"phase": "failing"}]})"})
        CHECK_NOTHROW(draw_services(select_services(json::parse(text), {}), true, {}));
}

TEST_CASE("names for suggestions come from both parts, once") {
    CHECK(service_names(answer()) == std::vector<std::string>{"consul", "redis", "web"});
}
