#include "registrar/compat_keys.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using bevmesh::registrar::compat_keys;

namespace {

registrar::port_settings settings(docker::container const& c,
                                  docker::port_key const& port = {80, "tcp"}) {
    return compat_keys(c).for_port(port);
}

}  // namespace

TEST_CASE("the prefix is case-sensitive, the key is not") {
    auto const c =
        test::web({"SERVICE_Name=web", "service_id=x", "Service_TAGS=y", "MY_SERVICE_ID=z"});
    CHECK(settings(c).get("name") == "web");
    CHECK(settings(c).get("id").empty());
    CHECK(settings(c).get("tags").empty());
}

TEST_CASE("a port's own key beats a general one, wherever they stand") {
    auto const c = test::web({"SERVICE_80_NAME=own"}, {{"SERVICE_NAME", "general"}});
    CHECK(settings(c).get("name") == "own");
    CHECK(settings(c).own("name"));
    CHECK(settings(c, {81, "tcp"}).get("name") == "general");
    CHECK_FALSE(settings(c, {81, "tcp"}).own("name"));
}

TEST_CASE(
    "at equal specificity a label beats the environment, and a later variable an earlier one") {
    CHECK(settings(test::web({"SERVICE_NAME=env"}, {{"SERVICE_NAME", "label"}})).get("name") ==
          "label");
    CHECK(
        settings(test::web({"SERVICE_80_NAME=env"}, {{"SERVICE_80_NAME", "label"}})).get("name") ==
        "label");
    CHECK(settings(test::web({"SERVICE_NAME=one", "SERVICE_NAME=two"})).get("name") == "two");
}

TEST_CASE("an empty value is unset, and a port's own empty one hides the general one") {
    CHECK(settings(test::web({"SERVICE_NAME="})).get("name").empty());
    auto const c = test::web({"SERVICE_NAME=x", "SERVICE_80_NAME="});
    CHECK(settings(c).get("name").empty());
    CHECK(settings(c).own("name"));
}

TEST_CASE("the port is compared as it is written") {
    for (auto const* key :
         {"SERVICE_080_NAME=x", "SERVICE_+80_NAME=x", "SERVICE_8_NAME=x", "SERVICE_65616_NAME=x",
          "SERVICE_0_NAME=x", "SERVICE_99999999999999999999_NAME=x"}) {
        CAPTURE(key);
        CHECK(settings(test::web({key})).get("name").empty());
    }
}

TEST_CASE("fayrus: port and protocol beat the port") {
    auto const c =
        test::web({"SERVICE_80_UDP_NAME=dns", "SERVICE_80_tcp_NAME=web", "SERVICE_80_NAME=both"});
    CHECK(settings(c).get("name") == "web");
    CHECK(settings(c, {80, "udp"}).get("name") == "dns");
    CHECK(settings(c, {80, "sctp"}).get("name") == "both");
    CHECK(settings(test::web({"SERVICE_80_CHECK_TCP=true"})).get("check_tcp") == "true");
}

TEST_CASE("fayrus: a range of ports can be ignored, and only that") {
    auto const c = test::web({"SERVICE_70-90_IGNORE=true", "SERVICE_70-90_NAME=x"});
    CHECK(settings(c).get("ignore") == "true");
    CHECK(settings(c, {91, "tcp"}).get("ignore").empty());
    CHECK(settings(c).get("name").empty());
    CHECK(settings(c).get("70-90_name") == "x");
    CHECK(settings(test::web({"SERVICE_80_IGNORE=", "SERVICE_70-90_IGNORE=1"}))
              .get("ignore")
              .empty());
    CHECK(settings(test::web({"SERVICE_90-70_IGNORE=1"})).get("ignore").empty());
    CHECK(settings(test::web({"SERVICE_1-99999999999999_IGNORE=1"})).get("ignore").empty());
}

TEST_CASE("nothing said") {
    CHECK(compat_keys(test::web({"PATH=/bin", "SERVICE_=x", "SERVICE_NAME"})).empty());
    CHECK_FALSE(compat_keys(test::web({"SERVICE_NAME="})).empty());
    CHECK_FALSE(compat_keys(test::web({}, {{"SERVICE_IGNORE", ""}})).empty());
}
