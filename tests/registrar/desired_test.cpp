#include "registrar/desired.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

TEST_CASE("only containers that are there have services") {
    test::node_fixture node;
    auto c = test::web();
    for (auto const state : {docker::run_state::created, docker::run_state::removing,
                             docker::run_state::exited, docker::run_state::dead}) {
        c.state = state;
        CHECK(node.services(c) == desired{});
    }
}

TEST_CASE("paused and restarting containers keep their services, suspended") {
    test::node_fixture node;
    auto c = test::web();
    CHECK(node.only(c).suspended.empty());
    c.state = docker::run_state::paused;
    CHECK(node.only(c).suspended == "container is paused");
    c.state = docker::run_state::restarting;
    c.ports.clear();
    CHECK(node.only(c).suspended == "container is restarting");
}

TEST_CASE("a registration carries what the reconciler needs") {
    test::node_fixture node;
    node.config.registrar.announce_wait = milliseconds{1234};
    auto c = test::web();
    c.health = docker::health::unhealthy;
    auto const r = node.only(c);
    CHECK(r.container_id == c.id);
    CHECK(r.container_name == "web-1");
    CHECK(r.started_at == c.started_at);
    CHECK(r.health == docker::health::unhealthy);
    CHECK(r.announce_wait == milliseconds{1234});
    CHECK(r.service.checks.empty());
}

TEST_CASE("a published port without binding is looked at again, the others are announced") {
    test::node_fixture node;
    auto c = test::web({"SERVICE_NAME=web"});
    test::publish(c, 443, 8443);
    c.ports[{443, "tcp"}].clear();
    auto const d = node.services(c);
    REQUIRE(d.services.size() == 1);
    CHECK(d.services[0].service.name == "web-80");  // the name does not change when 443 comes
    CHECK(d.incomplete);
}

TEST_CASE("no two services of a container have one ID, whatever the user says") {
    test::node_fixture node;
    auto c = test::web({"SERVICE_80_ID=x", "SERVICE_443_ID=x"});
    test::publish(c, 443, 8443);
    auto const d = node.services(c);
    REQUIRE(d.services.size() == 1);
    CHECK(test::has_note(d, "duplicate-id"));
}

TEST_CASE("names that DNS does not have are told, names that cannot be are refused") {
    test::node_fixture node;
    auto const odd = node.services(test::web({"SERVICE_NAME=my_web"}));
    CHECK(odd.services.size() == 1);
    CHECK(test::has_note(odd, "name-not-dns"));
    for (auto const& name : {std::string("a\nb"), std::string("\xff"), std::string(600, 'x')}) {
        auto const d = node.services(test::web({"SERVICE_NAME=" + name}));
        CHECK(d.services.empty());
        CHECK(test::has_note(d, "bad-name"));
    }
    CHECK(test::has_note(node.services(test::web({"SERVICE_ID=a\x01"})), "bad-id"));
}

TEST_CASE("a node that is not in the configuration announces no address that Consul would refuse") {
    test::node_fixture node;
    node.config.nodes.clear();
    auto const d = node.services(test::web());
    CHECK(d.services.empty());
    CHECK(test::has_note(d, "no-address"));
}

TEST_CASE("one sentence about two ports is one note") {
    test::node_fixture node;
    auto c = test::web();
    test::publish(c, 443, 8443);
    c.image = "example/foo@sha256:01";
    CHECK(node.services(c).notes.size() == 1);
}

TEST_CASE("sources and reporters have names") {
    CHECK(name(origin::compose) == "compose");
    CHECK(name(origin::compat) == "registrator");
    CHECK(name(reporter::docker_health) == "docker");
}
