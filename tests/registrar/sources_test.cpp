#include "registrar/sources.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

TEST_CASE("the sources, in order: taking one away shows the next") {
    test::node_fixture node;
    node.config.services = {test::configured("one", "web-1", 8080)};
    auto c = test::web({"SERVICE_NAME=three"}, {{"bevmesh.name", "two"},
                                                {"com.docker.compose.service", "four"},
                                                {"com.docker.swarm.service.name", "five"}});
    c.image = "six:1";
    auto const expect = [&](origin source, std::string const& name) {
        auto const r = node.only(c);
        CHECK(r.source == source);
        CHECK(r.service.name == name);
    };
    expect(origin::configured, "one");
    node.config.services.clear();
    expect(origin::labels, "two");
    c.labels.erase("bevmesh.name");
    expect(origin::compat, "three");
    c.env.clear();
    expect(origin::compose, "four");
    node.config.registrar.compose = false;
    expect(origin::swarm, "five");
    node.config.registrar.compose = true;
    c.labels.erase("com.docker.compose.service");
    expect(origin::swarm, "five");
    c.labels.erase("com.docker.swarm.service.name");
    expect(origin::compat, "six");
    node.config.registrar.compat.explicit_only = true;
    CHECK(node.services(c) == desired{});
}

TEST_CASE("any SERVICE_ key makes a container registrator's, in labels or environment") {
    test::node_fixture node;
    for (auto const& c :
         {test::web({"SERVICE_TAGS=a"}, {{"com.docker.compose.service", "web"}}),
          test::web({}, {{"SERVICE_80_TAGS", "a"}, {"com.docker.compose.service", "web"}})}) {
        auto const r = node.only(c);
        CHECK(r.source == origin::compat);
        CHECK(r.service.name == "app");
        CHECK(r.checks.empty());
    }
}

TEST_CASE("Compose: only what publishes a port, and no one-off") {
    test::node_fixture node;
    auto c = test::container("db-1");
    c.labels["com.docker.compose.service"] = "db";
    c.exposed = {{5432, "tcp"}};
    c.ports[{5432, "tcp"}] = {};
    CHECK(node.services(c) == desired{});
    test::publish(c, 5432, 5432);
    auto const r = node.only(c);
    CHECK(r.source == origin::compose);
    REQUIRE(r.checks.size() == 1);
    CHECK(r.checks[0].definition.tcp == "100.122.12.54:5432");
    c.labels["com.docker.compose.oneoff"] = "True";
    CHECK(node.services(c) == desired{});
    c.labels["com.docker.compose.oneoff"] = "False";
    CHECK(node.services(c).services.size() == 1);
}

TEST_CASE("Compose: two replicas are one name with two IDs") {
    test::node_fixture node;
    auto a = test::web({}, {{"com.docker.compose.service", "web"}});
    auto b = a;
    b.name = "web-2";
    CHECK(node.only(a).service.name == node.only(b).service.name);
    CHECK(node.only(a).service.id != node.only(b).service.id);
}

TEST_CASE("a Compose name that has nothing of a name falls back to the image's") {
    test::node_fixture node;
    CHECK(node.only(test::web({}, {{"com.docker.compose.service", "___"}})).service.name == "app");
}

TEST_CASE("Swarm: host-mode ports; ingress ones do not show in the task") {
    test::node_fixture node;
    auto c = test::container("bev_web.1.x7");
    c.labels = {{"com.docker.swarm.service.name", "bev_web"}};
    c.network_mode = "bev_net";
    c.networks = {{"ingress", {"", "10.0.0.4", ""}}, {"bev_net", {"", "10.0.1.4", ""}}};
    c.ports[{80, "tcp"}] = {};
    auto const none = node.services(c);
    CHECK(none.services.empty());
    CHECK(test::has_note(none, "no-port"));
    CHECK_FALSE(none.incomplete);
    c.ports[{80, "tcp"}] = {{"0.0.0.0", 8080}};
    auto const r = node.only(c);
    CHECK(r.service.name == "bev-web");
    CHECK(r.service.id == "thanos-host:bev_web.1.x7:80");
    CHECK(r.service.port == 8080);
}

TEST_CASE("labels that refine hold for a Compose service") {
    test::node_fixture node;
    auto c = test::web({}, {{"com.docker.compose.service", "web"},
                            {"com.docker.compose.project", "bev"},
                            {"bevmesh.address_mode", "container"},
                            {"bevmesh.network", "front"},
                            {"bevmesh.check.1.http", "/health"},
                            {"bevmesh.meta.k", "v"}});
    c.networks = {{"bev_back", {"", "172.30.0.2", ""}}, {"bev_front", {"", "172.31.0.2", ""}}};
    auto const r = node.only(c);
    CHECK(r.service.address == "172.31.0.2");
    CHECK(r.service.port == 80);
    CHECK(r.service.meta.at("k") == "v");
    REQUIRE(r.checks.size() == 1);
    CHECK(r.checks[0].definition.http == "http://172.31.0.2:80/health");
}

TEST_CASE("Traefik's label names the network, ours goes before it") {
    test::node_fixture node;
    auto c = test::web({}, {{"com.docker.compose.service", "web"},
                            {"bevmesh.address_mode", "container"},
                            {"traefik.docker.network", "b"}});
    c.networks = {{"a", {"", "10.1.0.2", ""}}, {"b", {"", "10.2.0.2", ""}}};
    CHECK(node.only(c).service.address == "10.2.0.2");
    c.labels["bevmesh.network"] = "a";
    CHECK(node.only(c).service.address == "10.1.0.2");
}

TEST_CASE("checks for a port that is not announced are told") {
    test::node_fixture node;
    auto const d = node.services(
        test::web({}, {{"com.docker.compose.service", "web"}, {"bevmesh.99.check.1.tcp", "true"}}));
    CHECK(d.services.size() == 1);
    CHECK(test::has_note(d, "label-unused"));
}

TEST_CASE("checks go to their port") {
    test::node_fixture node;
    auto c = test::web({}, {{"com.docker.compose.service", "web"},
                            {"bevmesh.check.1.http", "/main"},
                            {"bevmesh.443.check.1.https", "/other"}});
    test::publish(c, 443, 8443);
    auto const d = node.services(c);
    REQUIRE(d.services.size() == 2);
    CHECK(d.services[0].checks.at(0).definition.http == "https://100.122.12.54:8443/other");
    CHECK(d.services[1].checks.at(0).definition.http == "http://100.122.12.54:8080/main");
}
