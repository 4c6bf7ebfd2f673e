#include "registrar/checks.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using ids = std::vector<std::string>;

namespace {

check_target target(std::string const& protocol = "tcp", std::uint16_t port = 6379) {
    check_target t;
    t.service_id = "S";
    t.service_name = "redis";
    t.container = "redis-1";
    t.container_id = std::string(64, 'a');
    t.address = "10.0.0.1";
    t.port = port;
    t.protocol = protocol;
    t.ports = {{"admin", 9000}};
    return t;
}

check_config of(check_kind kind, std::string path = "") {
    check_config c;
    c.kind = kind;
    c.path = std::move(path);
    if (kind == check_kind::script) c.command = {"true"};
    return c;
}

check_wishes named(std::vector<check_config> configs) {
    check_wishes w;
    w.named = std::move(configs);
    return w;
}

ids ids_of(check_wishes const& w, check_target const& t = target()) {
    std::vector<note> notes;
    ids list;
    for (auto const& c : wanted_checks(w, t, notes))
        list.push_back(c.definition.id);
    return list;
}

}  // namespace

TEST_CASE("who names no check has a TCP connect on a TCP port, and nothing on UDP") {
    CHECK(ids_of({}) == ids{"bevmesh:S:tcp"});
    CHECK(ids_of({}, target("udp")).empty());
    CHECK(ids_of({}, target("tcp", 0)).empty());
    CHECK(ids_of(named({})).empty());
}

TEST_CASE("a check that the daemon reports has a native TCP check beside it") {
    CHECK(ids_of(named({of(check_kind::redis)})) == ids{"bevmesh:S:redis", "bevmesh:S:tcp"});
    CHECK(ids_of(named({of(check_kind::redis), of(check_kind::tcp)})) ==
          ids{"bevmesh:S:redis", "bevmesh:S:tcp"});
    auto elsewhere = of(check_kind::redis);
    elsewhere.port = "admin";
    CHECK(ids_of(named({elsewhere, of(check_kind::tcp)})) ==
          ids{"bevmesh:S:redis-admin", "bevmesh:S:tcp", "bevmesh:S:tcp-admin"});
}

TEST_CASE("Docker's HEALTHCHECK is mirrored, with a native TCP check beside it") {
    check_wishes w;
    w.mirror_docker = true;
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health", "bevmesh:S:tcp"});
    w.named = {of(check_kind::http)};
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health", "bevmesh:S:http"});
    w.named = {of(check_kind::script)};
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health", "bevmesh:S:script", "bevmesh:S:tcp"});
    CHECK(ids_of(w, target("udp")) == ids{"bevmesh:S:docker-health", "bevmesh:S:script"});
    w.named.emplace();
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health"});
}

TEST_CASE("the mirror has a TTL of a day and constant notes") {
    check_wishes w;
    w.mirror_docker = true;
    std::vector<note> notes;
    auto const checks = wanted_checks(w, target(), notes);
    REQUIRE(checks.size() == 2);
    CHECK(checks[0].by == reporter::docker_health);
    CHECK(checks[0].definition.ttl == milliseconds{86'400'000});
    CHECK_FALSE(checks[0].definition.notes.empty());
    CHECK_FALSE(checks[0].probe);
}

TEST_CASE("check IDs do not depend on the order of the checks") {
    auto const a = of(check_kind::http, "/a");
    auto const b = of(check_kind::http, "/b");
    auto const c = of(check_kind::tcp);
    auto const forward = ids_of(named({a, b, c}));
    CHECK(forward == ids_of(named({c, b, a})));
    CHECK(forward.size() == 3);
    CHECK(forward[0] != forward[1]);
    CHECK(forward[2] == "bevmesh:S:tcp");
}

TEST_CASE("a check's name is its key") {
    auto a = of(check_kind::http, "/a");
    a.name = "Front page";
    CHECK(ids_of(named({a})) == ids{"bevmesh:S:front-page"});
}

TEST_CASE("the same check twice is once, and told") {
    std::vector<note> notes;
    CHECK(
        wanted_checks(named({of(check_kind::tcp), of(check_kind::tcp)}), target(), notes).size() ==
        1);
    CHECK(test::has_note(notes, "duplicate-check"));
}

TEST_CASE("registrator's check stands first in right, ours beside it by labels") {
    check_wishes w;
    w.tcp_by_default = false;
    w.registrator = of(check_kind::http, "/x");
    CHECK(ids_of(w) == ids{"service:S"});
    w.mirror_docker = true;
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health", "service:S"});
    w.named = {of(check_kind::redis)};
    CHECK(ids_of(w) == ids{"bevmesh:S:docker-health", "bevmesh:S:redis", "service:S"});
}
