// What a user of registrator sees: each of its rules by name, through services_of().
#include "registrar/compat.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using lines = std::vector<std::string>;
using tags = std::vector<std::string>;
using meta = std::map<std::string, std::string>;

namespace {

docker::container two_ports(std::initializer_list<std::string> env) {
    auto c = test::web(env);
    test::publish(c, 443, 8443);
    return c;
}

}  // namespace

TEST_CASE("a container that says nothing is a service by its image, with no check") {
    test::node_fixture node;
    auto c = test::web();
    c.image = "registry.example:5000/team/app:1.2";
    CHECK(node.lines(c) == lines{"app thanos-host:web-1:80 100.122.12.54:8080"});
    auto const r = node.only(c);
    CHECK(r.source == origin::compat);
    CHECK(r.checks.empty());
    CHECK(r.service.tags.empty());
    CHECK(r.service.meta.empty());
}

TEST_CASE("several ports: the name gets the port, unless it is the port's own") {
    test::node_fixture node;
    CHECK(node.lines(two_ports({})) == lines{"app-443 thanos-host:web-1:443 100.122.12.54:8443",
                                             "app-80 thanos-host:web-1:80 100.122.12.54:8080"});
    CHECK(node.lines(two_ports({"SERVICE_NAME=web", "SERVICE_443_NAME=secure"})) ==
          lines{"secure thanos-host:web-1:443 100.122.12.54:8443",
                "web-80 thanos-host:web-1:80 100.122.12.54:8080"});
}

TEST_CASE("ignored ports count for the names of the others") {
    test::node_fixture node;
    CHECK(node.lines(two_ports({"SERVICE_NAME=web", "SERVICE_443_IGNORE=true"})) ==
          lines{"web-80 thanos-host:web-1:80 100.122.12.54:8080"});
}

TEST_CASE("unpublished ports do not count") {
    test::node_fixture node;
    auto c = test::web({"SERVICE_NAME=web"});
    c.exposed.push_back({9000, "tcp"});
    c.ports[{9000, "tcp"}] = {};
    CHECK(node.lines(c) == lines{"web thanos-host:web-1:80 100.122.12.54:8080"});
}

TEST_CASE("IGNORE: every value ignores, false with a warning") {
    test::node_fixture node;
    for (auto const* value : {"true", "1", "yes", "x"})
        CHECK(node.services(test::web({"SERVICE_IGNORE=" + std::string(value)})) == desired{});
    for (auto const* value : {"false", "0", "No"}) {
        auto const d = node.services(test::web({"SERVICE_IGNORE=" + std::string(value)}));
        CHECK(d.services.empty());
        CHECK(test::has_note(d, "ignored-false"));
    }
    CHECK(node.services(test::web({"SERVICE_IGNORE="})).services.size() == 1);
}

TEST_CASE("an ignored container is not announced by its Compose name instead") {
    test::node_fixture node;
    auto const c = test::web({"SERVICE_IGNORE=true"}, {{"com.docker.compose.service", "web"}});
    CHECK(node.services(c).services.empty());
}

TEST_CASE("SERVICE_ID replaces the ID") {
    test::node_fixture node;
    CHECK(node.lines(test::web({"SERVICE_ID=mine/1"})) == lines{"app mine/1 100.122.12.54:8080"});
    auto const d = node.services(two_ports({"SERVICE_ID=mine"}));
    CHECK(d.services.size() == 1);
    CHECK(test::has_note(d, "duplicate-id"));
}

TEST_CASE("tags: the container's, the flag's, and udp") {
    test::node_fixture node;
    node.config.registrar.compat.tags = "all,h-{{.Config.Hostname}}";
    auto c = test::container("dns-1");
    test::publish(c, 53, 53, "0.0.0.0", "udp");
    c.env = {R"(SERVICE_TAGS=a,b\,c)"};
    auto const r = node.only(c);
    CHECK(r.service.tags == tags{"a", "b,c", "all", "h-0123456789ab", "udp"});
    CHECK(r.service.id == "thanos-host:dns-1:53:udp");
}

TEST_CASE("a tag template with functions is refused in the flag and left alone in a container") {
    test::node_fixture node;
    node.config.registrar.compat.tags = R"({{httpGet "http://x"}})";
    auto const d = node.services(test::web({"SERVICE_TAGS=rule={{normalize .Name}}"}));
    REQUIRE(d.services.size() == 1);
    CHECK(d.services[0].service.tags == tags{"rule={{normalize .Name}}"});
    CHECK(test::has_note(d, "tag-template"));
}

TEST_CASE("every other key is meta, settings of checks are not") {
    test::node_fixture node;
    auto const r = node.only(
        test::web({"SERVICE_NAME=web", "SERVICE_REGION=eu", "SERVICE_80_Zone=a", "SERVICE_META_X=y",
                   "SERVICE_81_OTHER=z", "SERVICE_CHECK_TCP=true", "SERVICE_CHECK_INTERVAL=5s"}));
    CHECK(r.service.meta == meta{{"meta_x", "y"}, {"region", "eu"}, {"zone", "a"}});
}

TEST_CASE("meta that Consul refuses does not cost the service") {
    test::node_fixture node;
    auto const d = node.services(
        test::web({"SERVICE_LONG=" + std::string(600, 'x')}, {{"SERVICE_bad key", "x"}}));
    REQUIRE(d.services.size() == 1);
    CHECK(d.services[0].service.meta.empty());
    CHECK(test::has_note(d, "meta-dropped"));
}

TEST_CASE("what looks like a secret is warned about, without its value") {
    test::node_fixture node;
    auto const d = node.services(test::web({"SERVICE_DB_PASSWORD=hunter2"}));
    CHECK(test::has_note(d, "secret-in-meta"));
    for (auto const& n : d.notes)
        CHECK(n.text.find("hunter2") == std::string::npos);
}

TEST_CASE("-explicit: only what has a name") {
    test::node_fixture node;
    node.config.registrar.compat.explicit_only = true;
    CHECK(node.services(test::web()).services.empty());
    CHECK(node.services(test::web({"SERVICE_TAGS=a"})).services.empty());
    CHECK(node.only(test::web({"SERVICE_NAME=web"})).service.name == "web");
}

TEST_CASE(
    "-ip goes before the binding's address, -useIpFromLabel before -ip, SERVICE_IP before both") {
    test::node_fixture node;
    node.config.registrar.compat.ip = "10.1.1.1";
    auto c = test::container("web-1");
    test::publish(c, 80, 8080, "10.9.0.1");
    CHECK(node.only(c).service.address == "10.1.1.1");
    node.config.registrar.compat.use_ip_from_label = "ip";
    CHECK(node.only(c).service.address == "10.1.1.1");
    c.labels["ip"] = "10.2.2.2/24";
    CHECK(node.only(c).service.address == "10.2.2.2");
    c.labels["ip"] = "nonsense here/24";
    CHECK(node.only(c).service.address == "10.1.1.1");
    c.env = {"SERVICE_IP=10.3.3.3"};
    CHECK(node.only(c).service.address == "10.3.3.3");
    CHECK(node.only(c).service.meta.empty());
}

TEST_CASE("-internal: the container's address and its own, also unpublished, ports") {
    test::node_fixture node;
    node.config.registrar.compat.internal = true;
    auto c = test::container("web-1");
    c.exposed = {{80, "tcp"}};
    CHECK(node.lines(c) == lines{"app thanos-host:web-1:80 172.17.0.2:80"});
}

TEST_CASE("a user-defined network: the host's address with the host's port") {
    test::node_fixture node;
    auto c = test::web();
    c.network_mode = "bev_network";
    c.networks = {{"bev_network", {"", "172.30.0.9", ""}}};
    CHECK(node.lines(c) == lines{"app thanos-host:web-1:80 100.122.12.54:8080"});
}

TEST_CASE("host network: the exposed ports; one without EXPOSE is not seen") {
    test::node_fixture node;
    auto c = test::container("exporter");
    c.network_mode = "host";
    CHECK(node.services(c) == desired{});
    c.exposed = {{9100, "tcp"}};
    CHECK(node.lines(c) == lines{"app thanos-host:exporter:9100 100.122.12.54:9100"});
}

TEST_CASE("container:X has X's address and its own port") {
    test::node_fixture node;
    auto holder = test::container("pause");
    holder.id = std::string(64, 'b');
    node.others = {holder};
    auto c = test::container("web-1");
    c.network_mode = "container:" + holder.id;
    c.exposed = {{80, "tcp"}};
    CHECK(node.lines(c) == lines{"app thanos-host:web-1:80 172.17.0.2:80"});
    node.config.registrar.compat.ip = "10.1.1.1";
    node.config.registrar.compat.use_ip_from_label = "ip";
    c.labels["ip"] = "10.2.2.2";
    CHECK(node.lines(c) == lines{"app thanos-host:web-1:80 172.17.0.2:80"});
    node.others.clear();
    auto const d = node.services(c);
    CHECK(d.services.empty());
    CHECK(d.incomplete);
    CHECK(test::has_note(d, "network-holder-unknown"));
}

TEST_CASE("the host part of the ID can be what registrator's was") {
    test::node_fixture node;
    node.config.registrar.compat.hostname = "old-name";
    CHECK(node.only(test::web()).service.id == "old-name:web-1:80");
}

TEST_CASE("registrator's one check has Consul's own ID, where applications send their heartbeats") {
    test::node_fixture node;
    auto const r = node.only(test::web({"SERVICE_CHECK_TTL=30s", "SERVICE_CHECK_TCP=true"}));
    REQUIRE(r.checks.size() == 1);
    CHECK(r.checks[0].definition.id == "service:thanos-host:web-1:80");
    CHECK(r.checks[0].definition.name == "Service 'app' check");
    CHECK(r.checks[0].definition.ttl == milliseconds{30'000});
    CHECK(r.checks[0].by == reporter::application);
    CHECK_FALSE(r.checks[0].definition.interval);
}

TEST_CASE("the interval is 10 s, a timeout is there only when given") {
    test::node_fixture node;
    auto const r = node.only(test::web({"SERVICE_CHECK_HTTP=/health?x=1"}));
    REQUIRE(r.checks.size() == 1);
    auto const& d = r.checks[0].definition;
    CHECK(d.http == "http://100.122.12.54:8080/health?x=1");
    CHECK(d.interval == milliseconds{10'000});
    CHECK_FALSE(d.timeout);
    CHECK(d.failures_before_critical == 0);
    CHECK_FALSE(d.deregister_after);
    CHECK(d.initial_status.empty());
}

TEST_CASE("CHECK_SCRIPT knows where the service is, in brackets nowhere but before a port") {
    test::node_fixture node;
    auto c = test::container("web-1");
    test::publish(c, 80, 8080, "2001:db8::1");
    c.env = {"SERVICE_CHECK_SCRIPT=nc -z $SERVICE_IP $SERVICE_PORT"};
    CHECK(node.only(c).checks[0].definition.args ==
          std::vector<std::string>{"nc", "-z", "2001:db8::1", "8080"});
    c.env = {"SERVICE_CHECK_TCP=true"};
    CHECK(node.only(c).checks[0].definition.tcp == "[2001:db8::1]:8080");
}

TEST_CASE("a HEALTHCHECK is not mirrored unless a label asks for it") {
    test::node_fixture node;
    auto c = test::web({"SERVICE_NAME=web"});
    c.health = docker::health::healthy;
    CHECK(node.only(c).checks.empty());
    c.labels["bevmesh.health"] = "mirror";
    auto const r = node.only(c);
    CHECK(r.source == origin::compat);
    CHECK(r.checks.size() == 2);
}

TEST_CASE("labels of ours refine what registrator names") {
    test::node_fixture node;
    auto const r = node.only(test::web(
        {"SERVICE_NAME=web", "SERVICE_CHECK_HTTP=/a"},
        {{"bevmesh.check.x.http", "/b"}, {"bevmesh.tags", "t"}, {"bevmesh.address", "10.5.5.5"}}));
    CHECK(r.source == origin::compat);
    CHECK(r.service.tags == tags{"t"});
    CHECK(r.service.address == "10.5.5.5");
    REQUIRE(r.checks.size() == 2);
    CHECK(r.checks[0].definition.id == "bevmesh:thanos-host:web-1:80:http");
    CHECK(r.checks[1].definition.id == "service:thanos-host:web-1:80");
}

TEST_CASE("fayrus: tag override") {
    test::node_fixture node;
    CHECK(node.only(test::web({"SERVICE_ENABLE_TAG_OVERRIDE=true"})).service.enable_tag_override);
    CHECK_FALSE(node.only(test::web({"SERVICE_X=1"})).service.enable_tag_override);
}

TEST_CASE("compat off: SERVICE_* means nothing") {
    test::node_fixture node;
    node.config.registrar.compat.enabled = false;
    CHECK(node.services(test::web({"SERVICE_NAME=web"})) == desired{});
}

TEST_CASE("images that are digests or IDs still give a name") {
    test::node_fixture node;
    auto c = test::web();
    c.image = "example/foo@sha256:0123";
    auto const d = node.services(c);
    CHECK(d.services.at(0).service.name == "foo");
    CHECK(test::has_note(d, "digest-name"));
    c.image = "sha256:0123";
    CHECK(node.only(c).service.name == "web-1");
}
