#include "registrar/configured.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using lines = std::vector<std::string>;

namespace {

match_config by(std::string match_config::* field, std::string value) {
    match_config m;
    m.*field = std::move(value);
    return m;
}

docker::container redis() {
    auto c = test::container("bev-redis-1");
    c.image = "redis:7";
    c.labels = {{"com.docker.compose.project", "bev"}, {"com.docker.compose.service", "redis"}};
    test::publish(c, 6379, 16379);
    return c;
}

test::node_fixture with(service_config service) {
    test::node_fixture node;
    node.config.services.push_back(std::move(service));
    return node;
}

}  // namespace

TEST_CASE("a container is matched by name, Compose service, label or image") {
    auto const c = redis();
    CHECK(matches(by(&match_config::container, "bev-redis-1"), c));
    CHECK_FALSE(matches(by(&match_config::container, "bev-redis"), c));
    CHECK(matches(by(&match_config::compose, "redis"), c));
    CHECK(matches(by(&match_config::compose, "bev/redis"), c));
    CHECK_FALSE(matches(by(&match_config::compose, "other/redis"), c));
    CHECK(matches(by(&match_config::label, "com.docker.compose.project"), c));
    CHECK(matches(by(&match_config::label, "com.docker.compose.project=bev"), c));
    CHECK_FALSE(matches(by(&match_config::label, "com.docker.compose.project=be"), c));
    CHECK_FALSE(matches({}, c));
    auto both = by(&match_config::image, "redis");
    both.container = "other";
    CHECK_FALSE(matches(both, c));
}

TEST_CASE("images match by repository, tag or digest") {
    auto c = redis();
    auto const fits = [&](std::string const& image, std::string const& pattern) {
        c.image = image;
        return matches(by(&match_config::image, pattern), c);
    };
    CHECK(fits("redis:7", "redis"));
    CHECK(fits("redis:7", "redis:7"));
    CHECK_FALSE(fits("redis:7", "redis:6"));
    CHECK(fits("docker.io/library/redis:7", "redis"));
    CHECK(fits("redis", "docker.io/library/redis"));
    CHECK(fits("redis", "redis:latest"));
    CHECK_FALSE(fits("other/redis", "redis"));
    CHECK(fits("registry.example:5000/a/b", "registry.example:5000/a/b"));
    CHECK(fits("registry.example:5000/a/b:1", "registry.example:5000/a/b"));
    CHECK_FALSE(fits("registry.example:5000/a/b:1", "registry.example"));
    CHECK(fits("redis@sha256:01", "redis@sha256:01"));
    CHECK_FALSE(fits("redis@sha256:02", "redis@sha256:01"));
    CHECK_FALSE(fits("redis@sha256:02", "redis:latest"));
}

TEST_CASE("port is the published one; the ID has the container's own") {
    auto const node = with(test::configured("cache", "bev-redis-1", 16379));
    CHECK(node.lines(redis()) == lines{"cache thanos-host:bev-redis-1:6379 100.122.12.54:16379"});
    CHECK(node.only(redis()).source == origin::configured);
}

TEST_CASE("the configuration goes before all labels, bevmesh.enable=false before it") {
    auto const node = with(test::configured("cache", "bev-redis-1", 16379));
    auto c = redis();
    c.labels["bevmesh.name"] = "other";
    c.env = {"SERVICE_NAME=third", "SERVICE_IGNORE=true"};
    auto const d = node.services(c);
    REQUIRE(d.services.size() == 1);
    CHECK(d.services[0].service.name == "cache");
    CHECK(test::has_note(d, "label-unused"));
    c.labels["bevmesh.enable"] = "false";
    auto const off = node.services(c);
    CHECK(off.services.empty());
    CHECK(test::has_note(off, "excluded"));
}

TEST_CASE("labels add tags and meta to a configured service, whose own meta wins") {
    auto service = test::configured("cache", "bev-redis-1", 16379);
    service.tags = {"db"};
    service.meta = {{"team", "core"}};
    auto c = redis();
    c.labels["bevmesh.tags"] = "hot,db";
    c.labels["bevmesh.meta.team"] = "x";
    c.labels["bevmesh.meta.zone"] = "a";
    auto const r = with(service).only(c);
    CHECK(r.service.tags == std::vector<std::string>{"db", "hot"});
    CHECK(r.service.meta == std::map<std::string, std::string>{{"team", "core"}, {"zone", "a"}});
}

TEST_CASE("an instance of another node is none of ours") {
    auto service = test::configured("cache", "bev-redis-1", 16379);
    service.instances[0].nodes = {"oracle1"};
    CHECK(with(service).only(redis()).source == origin::compose);
}

TEST_CASE("further ports are services of their own, with the checks that name them") {
    auto service = test::configured("rabbitmq", "mq", 5672);
    service.instances[0].ports = {{"management", 15672}, {"metrics", 15692}};
    service.checks.emplace(2);
    (*service.checks)[1].kind = check_kind::http;
    (*service.checks)[1].path = "/health";
    (*service.checks)[1].port = "management";
    auto c = test::container("mq");
    for (auto const p : std::vector<std::uint16_t>{5672, 15672, 15692})
        test::publish(c, p, p);
    auto const d = with(service).services(c);
    REQUIRE(d.services.size() == 3);
    std::map<std::string, std::vector<std::string>> targets;
    for (auto const& r : d.services)
        for (auto const& check : r.checks)
            targets[r.service.name].push_back(check.definition.http + check.definition.tcp);
    CHECK(targets["rabbitmq"] == lines{"http://100.122.12.54:15672/health", "100.122.12.54:5672"});
    CHECK(targets["rabbitmq-management"] == lines{"http://100.122.12.54:15672/health"});
    CHECK(targets["rabbitmq-metrics"] == lines{"100.122.12.54:15692"});
}

TEST_CASE("a port that the container does not publish is a note that says what it does publish") {
    auto const d = with(test::configured("cache", "bev-redis-1", 6379)).services(redis());
    CHECK(d.services.empty());
    REQUIRE(test::has_note(d, "no-port"));
    CHECK(d.notes[0].text.find("16379->6379/tcp") != std::string::npos);
    CHECK_FALSE(d.incomplete);
}

TEST_CASE("a published port that is not bound yet is awaited without a note") {
    auto c = redis();
    c.ports.clear();
    auto const d = with(test::configured("cache", "bev-redis-1", 16379)).services(c);
    CHECK(d.services.empty());
    CHECK(d.incomplete);
    CHECK(d.notes.empty());
}

TEST_CASE("host network, container mode, explicit address, routing mesh") {
    auto service = test::configured("cache", "bev-redis-1", 6379);
    auto c = redis();
    SECTION("host network: the port itself") {
        c.network_mode = "host";
        c.ports.clear();
        CHECK(with(service).lines(c) ==
              lines{"cache thanos-host:bev-redis-1:6379 100.122.12.54:6379"});
    }
    SECTION("container mode: the container's port on the network by name") {
        service.mode = address_mode::container;
        service.network = "front";
        c.networks["bev_front"] = {"", "172.30.0.7", ""};
        CHECK(with(service).lines(c) ==
              lines{"cache thanos-host:bev-redis-1:6379 172.30.0.7:6379"});
    }
    SECTION("an explicit address has its own way to the port") {
        service.instances[0].address = "10.0.0.9";
        CHECK(with(service).lines(c) == lines{"cache thanos-host:bev-redis-1:6379 10.0.0.9:6379"});
    }
    SECTION("Swarm's routing mesh listens on every node") {
        c.ports = {{{6379, "tcp"}, {}}};
        c.wanted_ports.clear();
        c.labels["com.docker.swarm.task.id"] = "t1";
        CHECK(with(service).lines(c) ==
              lines{"cache thanos-host:bev-redis-1:6379 100.122.12.54:6379"});
    }
}

TEST_CASE("without a port: the only published one, else a service without") {
    auto service = test::configured("worker", "bev-redis-1", 0);
    CHECK(with(service).lines(redis()) ==
          lines{"worker thanos-host:bev-redis-1:6379 100.122.12.54:16379"});
    auto c = redis();
    c.ports.clear();
    c.wanted_ports.clear();
    c.exposed.clear();
    auto const r = with(service).only(c);
    CHECK(r.service.port == 0);
    CHECK(r.service.address == "100.122.12.54");
    CHECK(r.checks.empty());
}

TEST_CASE("UDP services have their own ID and no check") {
    auto service = test::configured("dns", "dns", 53);
    service.instances[0].protocol = "udp";
    auto c = test::container("dns");
    test::publish(c, 53, 53, "0.0.0.0", "udp");
    test::publish(c, 53, 53, "0.0.0.0", "tcp");
    auto const r = with(service).only(c);
    CHECK(r.service.id == "thanos-host:dns:53:udp");
    CHECK(r.checks.empty());
}

TEST_CASE("two services of one port have two IDs") {
    auto node = with(test::configured("cache", "bev-redis-1", 16379));
    node.config.services.push_back(test::configured("queue", "bev-redis-1", 16379));
    CHECK(node.lines(redis()) ==
          lines{"cache thanos-host:bev-redis-1:6379 100.122.12.54:16379",
                "queue thanos-host:bev-redis-1:6379:queue 100.122.12.54:16379"});
}

TEST_CASE("processes of the node are services, too") {
    test::node_fixture node;
    auto service = test::configured("postgres", "", 5432);
    service.instances[0].host = true;
    service.instances[0].ports = {{"metrics", 9187}};
    node.config.services = {service};
    auto const d = host_services(node.where());
    REQUIRE(d.services.size() == 2);
    auto const& r = d.services[1];
    CHECK(r.service.id == "thanos:host:postgres:5432");
    CHECK(r.service.address == "100.122.12.54");
    CHECK(r.container_id.empty());
    REQUIRE(r.checks.size() == 1);
    CHECK(r.checks[0].definition.tcp == "100.122.12.54:5432");
    CHECK(d.services[0].service.id == "thanos:host:postgres-metrics:9187");
    CHECK(d.notes.empty());
}

TEST_CASE("a process of the node cannot have a check in a container, and is no container") {
    test::node_fixture node;
    auto service = test::configured("postgres", "web-1", 5432);
    service.instances[0].host = true;
    service.checks.emplace(1);
    (*service.checks)[0].kind = check_kind::docker;
    (*service.checks)[0].command = {"true"};
    node.config.services = {service};
    auto const d = host_services(node.where());
    REQUIRE(d.services.size() == 1);
    CHECK(d.services[0].checks.empty());
    CHECK(test::has_note(d, "check-dropped"));
    CHECK(node.only(test::web()).source == origin::compat);
}

TEST_CASE("one process named twice is one service, and told") {
    test::node_fixture node;
    auto service = test::configured("postgres", "", 5432);
    service.instances[0].host = true;
    service.instances.push_back(service.instances[0]);
    service.instances.push_back(service.instances[0]);
    node.config.services = {service};
    auto const d = host_services(node.where());
    CHECK(d.services.size() == 2);
    CHECK(test::has_note(d, "duplicate-id"));
}
