#include "certs/kept.hpp"

#include "certs/names.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;

TEST_CASE("what is kept of a renewal comes back, and what was in memory alone does not") {
    renewal_state s;
    s.generation = 7;
    s.previous = 4;
    s.asked = true;
    s.proven =
        leaf{6, "0a", wall_time(seconds(10)), wall_time(seconds(90)), "wish", "ca", "hash", "crl"};
    s.coming =
        coming_leaf{{7, "0b", wall_time(seconds(50)), wall_time(seconds(130))}, stage::installed};
    s.back = stage::reloaded;
    s.proven->wanted = "00ff";
    s.hold = grant_hold{wall_time(seconds(77)), "00fe"};
    auto const read = decode_kept(encode_kept(s));
    REQUIRE(read.has_value());
    CHECK(read->generation == 7);
    CHECK(read->previous == 4);
    CHECK(read->asked);
    CHECK(read->proven == s.proven);
    CHECK(read->coming == s.coming);
    CHECK(read->back == s.back);
    CHECK(read->hold == s.hold);
    s.coming->at = stage::granted;
    s.back.reset();
    CHECK_FALSE(decode_kept(encode_kept(s))->coming);
    CHECK(decode_kept("{}").has_value());
    CHECK(decode_kept("no JSON").has_error());
    CHECK(decode_kept(R"({"back": "issued"})").has_error());
    CHECK(decode_kept(R"({"coming": {"at": "verified"}})").has_error());
}

TEST_CASE("a certificate has the names that peers look for, and a group's where it is a member's") {
    mesh_config mesh;
    mesh.name = "bev";
    mesh.datacenter = "bev";
    mesh.nodes["thanos"].address = "100.122.12.54";
    mesh.nodes["starlord"].address = "100.122.12.35";
    auto const plain = subject_of("redis", "thanos", mesh);
    CHECK(plain == subject{"redis.service.consul",
                           {"redis.service.consul", "redis.service.bev.consul", "thanos"},
                           {"100.122.12.54"},
                           {"spiffe://bev/node/thanos/service/redis"}});
    failover_group_config group;
    group.name = "redis";
    group.members = {"thanos"};
    mesh.failover.push_back(group);
    CHECK(subject_of("redis", "thanos", mesh).dns ==
          std::vector<std::string>{
              "redis.service.consul", "redis.service.bev.consul", "redis-primary.service.consul",
              "redis-primary.service.bev.consul", "redis-replica.service.consul",
              "redis-replica.service.bev.consul", "thanos"});
    CHECK(subject_of("redis", "starlord", mesh).dns.size() == 3);
}

TEST_CASE("Consul's agent is asked on the loopback, and by other servers, where it has this one") {
    mesh_config mesh;
    mesh.name = "bev";
    mesh.datacenter = "bev";
    mesh.nodes["thanos"].address = "100.122.12.54";
    auto const service = subject_of("consul", "thanos", mesh);
    CHECK(service.dns.size() == 3);
    CHECK(service.ips.size() == 1);
    mesh.consul.tls.recipe = "consul";
    CHECK(subject_of("consul", "thanos", mesh) ==
          subject{"consul.service.consul",
                  {"consul.service.consul", "consul.service.bev.consul", "server.bev.consul",
                   "localhost", "thanos"},
                  {"127.0.0.1", "::1", "100.122.12.54"},
                  {"spiffe://bev/node/thanos/service/consul"}});
    CHECK(subject_of("redis", "thanos", mesh).dns.size() == 3);
    mesh.datacenter.clear();
    CHECK(subject_of("consul", "thanos", mesh).dns ==
          std::vector<std::string>{"consul.service.consul", "localhost", "thanos"});
}

TEST_CASE("a member of a PostgreSQL group is let in by the others as the group's role") {
    mesh_config mesh;
    mesh.name = "bev";
    mesh.nodes["thanos"].address = "100.122.12.54";
    mesh.nodes["starlord"].address = "100.122.12.35";
    mesh.failover.emplace_back();
    auto& group = mesh.failover.back();
    group.name = "db";
    group.kind = "postgres";
    group.members = {"thanos"};
    CHECK(subject_of("db", "thanos", mesh).common_name == "db.service.consul");
    group.user = "keeper";
    CHECK(subject_of("db", "thanos", mesh).common_name == "keeper");
    CHECK(subject_of("db", "starlord", mesh).common_name == "db.service.consul");
    CHECK(subject_of("other", "thanos", mesh).common_name == "other.service.consul");
    group.user = "the_keeper";
    CHECK(subject_of("db", "thanos", mesh).common_name == "db.service.consul");
    group.user = "keeper";
    group.kind = "redis";
    CHECK(subject_of("db", "thanos", mesh).common_name == "db.service.consul");
}

TEST_CASE("a wish has the same fingerprint as itself alone") {
    subject const plain{"a", {"b", "c"}, {"10.0.0.1"}, {"spiffe://m/x"}};
    auto const is = fingerprint(plain, seconds(20));
    CHECK(is.size() == 16);
    CHECK(is == fingerprint(plain, seconds(20)));
    CHECK(is != fingerprint(plain, seconds(30)));
    for (auto const& other : {subject{"a", {"bc"}, {"10.0.0.1"}, {"spiffe://m/x"}},
                              subject{"a", {"b", "c", "10.0.0.1"}, {}, {"spiffe://m/x"}},
                              subject{"", {"b", "c"}, {"10.0.0.1"}, {"spiffe://m/x"}},
                              subject{"a", {"b", "c"}, {"10.0.0.1"}, {"spiffe://m/y"}}})
        CHECK(is != fingerprint(other, seconds(20)));
}
