#include "registrar/ports.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using lines = std::vector<std::string>;

namespace {

docker::container labelled(
    std::initializer_list<std::pair<std::string const, std::string>> labels) {
    auto c = test::container("mq");
    test::publish(c, 15672, 15672);
    test::publish(c, 5672, 5673);
    c.labels = labels;
    return c;
}

}  // namespace

TEST_CASE("the lowest TCP port has the plain name, the others theirs with the port") {
    test::node_fixture node;
    CHECK(node.lines(labelled({{"com.docker.compose.service", "rabbit_mq"}})) ==
          lines{"rabbit-mq-15672 thanos-host:mq:15672 100.122.12.54:15672",
                "rabbit-mq thanos-host:mq:5672 100.122.12.54:5673"});
}

TEST_CASE("a TCP port goes before a lower one of UDP") {
    test::node_fixture node;
    auto c = test::container("app");
    c.labels["com.docker.compose.service"] = "app";
    test::publish(c, 53, 53, "0.0.0.0", "udp");
    test::publish(c, 80, 80);
    CHECK(node.lines(c) == lines{"app-53 thanos-host:app:53:udp 100.122.12.54:53",
                                 "app thanos-host:app:80 100.122.12.54:80"});
}

TEST_CASE("a port that others cannot reach is not the main one") {
    test::node_fixture node;
    auto c = test::container("app");
    c.labels["com.docker.compose.service"] = "app";
    test::publish(c, 80, 80, "127.0.0.1");
    test::publish(c, 443, 443);
    CHECK(node.lines(c) == lines{"app thanos-host:app:443 100.122.12.54:443"});
}

TEST_CASE("both protocols of a port have one name, UDP a tag") {
    test::node_fixture node;
    auto c = test::container("dns");
    c.labels["com.docker.compose.service"] = "dns";
    test::publish(c, 53, 53, "0.0.0.0", "tcp");
    test::publish(c, 53, 53, "0.0.0.0", "udp");
    auto const d = node.services(c);
    REQUIRE(d.services.size() == 2);
    CHECK(d.services[0].service.name == "dns");
    CHECK(d.services[1].service.name == "dns");
    CHECK(d.services[1].service.tags == std::vector<std::string>{"udp"});
    CHECK(d.services[0].checks.size() == 1);
    CHECK(d.services[1].checks.empty());
}

TEST_CASE("bevmesh.port: the main port, and no other but those with names") {
    test::node_fixture node;
    CHECK(node.lines(labelled({{"bevmesh.name", "queue"}, {"bevmesh.port", "5672"}})) ==
          lines{"queue thanos-host:mq:5672 100.122.12.54:5673"});
    CHECK(node.lines(labelled({{"bevmesh.name", "queue"},
                               {"bevmesh.port", "5672"},
                               {"bevmesh.15672.name", "admin"}})) ==
          lines{"admin thanos-host:mq:15672 100.122.12.54:15672",
                "queue thanos-host:mq:5672 100.122.12.54:5673"});
    auto const d = node.services(labelled({{"bevmesh.port", "99"}}));
    CHECK(d.services.empty());
    CHECK(test::has_note(d, "no-port"));
}

TEST_CASE("bevmesh.PORT.name alone announces that port alone") {
    test::node_fixture node;
    CHECK(node.lines(labelled({{"bevmesh.15672.name", "admin"}})) ==
          lines{"admin thanos-host:mq:15672 100.122.12.54:15672"});
    auto const d = node.services(labelled({{"bevmesh.99.name", "admin"}}));
    CHECK(d.services.empty());
    CHECK(test::has_note(d, "no-port"));
}

TEST_CASE("bevmesh.enable: all ports, by the Compose name, else the image's") {
    test::node_fixture node;
    CHECK(node.lines(labelled({{"bevmesh.enable", "true"}, {"bevmesh.15672.name", "admin"}})) ==
          lines{"admin thanos-host:mq:15672 100.122.12.54:15672",
                "app thanos-host:mq:5672 100.122.12.54:5673"});
}

TEST_CASE("a worker without ports is a service without one, healthy as Docker says") {
    test::node_fixture node;
    auto c = test::container("worker");
    c.labels["bevmesh.name"] = "worker";
    c.health = docker::health::starting;
    auto const r = node.only(c);
    CHECK(r.service.id == "thanos-host:worker:0");
    CHECK(r.service.port == 0);
    REQUIRE(r.checks.size() == 1);
    CHECK(r.checks[0].by == reporter::docker_health);
    CHECK(r.health == docker::health::starting);
}
