#include "registrar/check_kinds.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

check_target target() {
    check_target t;
    t.service_id = "h:web:80";
    t.service_name = "web";
    t.container = "web";
    t.container_id = std::string(64, 'a');
    t.address = "fd00::9";
    t.port = 8080;
    t.ports = {{"admin", 9090}};
    return t;
}

check_config of(check_kind kind) {
    check_config c;
    c.kind = kind;
    return c;
}

wanted_check make(check_config const& c, std::vector<note>* notes = nullptr) {
    std::vector<note> ignored;
    auto made = make_check(c, target(), defaults::own, notes ? *notes : ignored);
    REQUIRE(made);
    return *made;
}

}  // namespace

TEST_CASE("each kind is the native check of Consul") {
    CHECK(make(of(check_kind::tcp)).definition.tcp == "[fd00::9]:8080");
    CHECK(make(of(check_kind::http)).definition.http == "http://[fd00::9]:8080/");
    CHECK(make(of(check_kind::https)).definition.http == "https://[fd00::9]:8080/");
    CHECK(make(of(check_kind::udp)).definition.udp == "[fd00::9]:8080");
    CHECK(make(of(check_kind::grpc)).definition.grpc == "[fd00::9]:8080");
    CHECK(make(of(check_kind::h2ping)).definition.h2ping == "[fd00::9]:8080");
    CHECK_FALSE(make(of(check_kind::h2ping)).definition.h2ping_use_tls);
    auto grpc = of(check_kind::grpc);
    grpc.grpc_service = "bev.Search";
    grpc.tls = true;
    CHECK(make(grpc).definition.grpc == "[fd00::9]:8080/bev.Search");
    CHECK(make(grpc).definition.grpc_use_tls);
    auto docker = of(check_kind::docker);
    docker.command = {"redis-cli", "-p", "$SERVICE_PORT"};
    CHECK(make(docker).definition.docker_container_id == std::string(64, 'a'));
    CHECK(make(docker).definition.args == std::vector<std::string>{"redis-cli", "-p", "8080"});
    auto alias = of(check_kind::alias);
    alias.alias_service = "h:db:5432";
    CHECK(make(alias).definition.alias_service == "h:db:5432");
    CHECK_FALSE(make(alias).definition.interval);
    CHECK(make(of(check_kind::ttl)).by == reporter::application);
    CHECK(make(of(check_kind::ttl)).definition.ttl);
}

TEST_CASE("the times where nothing is said") {
    auto const http = make(of(check_kind::http));
    CHECK(http.definition.interval == milliseconds{30'000});
    CHECK(http.definition.timeout == milliseconds{10'000});
    CHECK(http.definition.failures_before_critical == 3);
    CHECK(http.start_period == milliseconds{40'000});
    auto const tcp = make(of(check_kind::tcp));
    CHECK(tcp.definition.interval == milliseconds{10'000});
    CHECK(tcp.definition.timeout == milliseconds{2'000});
    CHECK(tcp.definition.failures_before_critical == 0);
    CHECK_FALSE(tcp.definition.deregister_after);
    auto said = of(check_kind::http);
    said.interval = milliseconds{1'000};
    said.timeout = milliseconds{0};
    said.failures_before_critical = 1;
    said.start_period = milliseconds{0};
    CHECK(make(said).definition.interval == milliseconds{1'000});
    CHECK(make(said).definition.timeout == milliseconds{10'000});
    CHECK(make(said).definition.failures_before_critical == 1);
    CHECK(make(said).start_period == milliseconds{0});
}

TEST_CASE("tcp and http are probed where Consul will look, so that they are born true") {
    auto const tcp = make(of(check_kind::tcp));
    REQUIRE(tcp.probe);
    CHECK(tcp.probe->host == "fd00::9");
    CHECK(tcp.probe->port == 8080);
    CHECK(tcp.by == reporter::consul);
    auto config = of(check_kind::https);
    config.path = "health";
    config.method = "head";
    config.headers = {{"X-A", {"b"}}};
    config.tls_skip_verify = true;
    config.tls_server_name = "web.example";
    auto const https = make(config);
    REQUIRE(https.probe);
    CHECK(https.probe->kind == probe_kind::https);
    CHECK(https.probe->path == "/health");
    CHECK(https.probe->method == "HEAD");
    CHECK(https.probe->headers == https.definition.header);
    CHECK(https.probe->tls_skip_verify);
    CHECK(https.probe->tls_server_name == "web.example");
    CHECK(https.probe->timeout == milliseconds{10'000});
}

TEST_CASE("what a connection alone cannot answer is not probed") {
    auto tls = of(check_kind::tcp);
    tls.tls = true;
    CHECK_FALSE(make(tls).probe);
    CHECK(make(tls).definition.tcp_use_tls);
    for (auto const kind : {check_kind::udp, check_kind::grpc, check_kind::h2ping, check_kind::ttl})
        CHECK_FALSE(make(of(kind)).probe);
}

TEST_CASE("redis and postgres are asked and reported by the daemon, under a long TTL") {
    auto config = of(check_kind::postgres);
    config.user = "bev";
    config.database = "osint";
    config.password_file = "/etc/bevmesh/pg";
    config.interval = milliseconds{3'000};
    auto const made = make(config);
    CHECK(made.by == reporter::daemon);
    CHECK(made.definition.ttl == reported_ttl);
    CHECK_FALSE(made.definition.interval);
    CHECK(made.interval == milliseconds{3'000});
    REQUIRE(made.probe);
    CHECK(made.probe->kind == probe_kind::postgres);
    CHECK(made.probe->database == "osint");
    CHECK(make(of(check_kind::redis)).probe->kind == probe_kind::redis);
}

TEST_CASE("a check may look at another port") {
    auto config = of(check_kind::http);
    config.port = "admin";
    CHECK(make(config).definition.http == "http://[fd00::9]:9090/");
}

TEST_CASE("a path cannot break out of the request") {
    auto config = of(check_kind::http);
    config.path = "/a b\r\nX: y\xc3\xa9?q=1&r=%20";
    CHECK(make(config).definition.http ==
          "http://[fd00::9]:8080/a%20b%0D%0AX:%20y%C3%A9?q=1&r=%20");
}

TEST_CASE("what Consul would refuse is left out with a note, not the service") {
    std::vector<note> notes;
    auto config = of(check_kind::http);
    SECTION("thresholds the wrong way round") {
        config.failures_before_warning = 5;
        CHECK(make(config, &notes).definition.failures_before_warning == 0);
    }
    SECTION("an unknown status") {
        config.initial_status = "ok";
        CHECK(make(config, &notes).definition.initial_status.empty());
    }
    SECTION("a method with a line in it") {
        config.method = "GET / HTTP/1.1\r\n";
        CHECK(make(config, &notes).definition.method == "GET");
    }
    SECTION("a header with a line in it") {
        config.headers = {{"X-A", {"b\r\nX-B: c"}}};
        CHECK(make(config, &notes).definition.header.empty());
    }
    CHECK(notes.size() == 1);
}

TEST_CASE("a check of nothing is none") {
    auto portless = target();
    portless.port = 0;
    auto unit = target();
    unit.container_id.clear();
    auto docker = of(check_kind::docker);
    docker.command = {"true"};
    auto elsewhere = of(check_kind::tcp);
    elsewhere.port = "none";
    struct row {
        check_config config;
        check_target at;
    };
    for (auto const& r : std::vector<row>{{of(check_kind::tcp), portless},
                                          {of(check_kind::udp), portless},
                                          {of(check_kind::redis), portless},
                                          {of(check_kind::script), target()},
                                          {docker, unit},
                                          {of(check_kind::alias), target()},
                                          {elsewhere, target()}}) {
        std::vector<note> notes;
        CHECK_FALSE(make_check(r.config, r.at, defaults::own, notes));
        CHECK(test::has_note(notes, "check-dropped"));
    }
}
