#include "config/problem.hpp"

#include "tests/catch.hpp"

namespace bevmesh::config {

TEST_CASE("a problem is one line with file, place, key, fault and expectation") {
    problem const p{"bev.yaml", 3, 7, "mesh.name", "is empty", "a name"};
    CHECK(to_string(p) == "bev.yaml:3:7: mesh.name: is empty; expected a name");
}

TEST_CASE("what a problem does not know is left out of its line") {
    CHECK(to_string({"bev.yaml", 0, 0, "", "cannot be read", ""}) == "bev.yaml: cannot be read");
    CHECK(to_string({"", 2, 1, "", "a tab", "spaces"}) == "2:1: a tab; expected spaces");
    CHECK(to_string({"", 0, 0, "nodes", "is empty", ""}) == "nodes: is empty");
}

TEST_CASE("what a user wrote cannot command the terminal, nor fill it") {
    CHECK(in_quotes("plain") == "\"plain\"");
    CHECK(in_quotes("a\nb\t\x1b[31m\"\\") == "\"a\\nb\\t\\x1b[31m\\\"\\\\\"");
    CHECK(in_quotes(std::string(100, 'x')) == "\"" + std::string(60, 'x') + "...\"");
    // Not cut within a character.
    CHECK(in_quotes(std::string(59, 'x') + "\xc3\xa4z") == "\"" + std::string(59, 'x') + "...\"");
}

TEST_CASE("a key that is no word is quoted in its path") {
    CHECK(join("services", "redis") == "services.redis");
    CHECK(join("", "mesh") == "mesh");
    CHECK(join("services", "a.b") == "services.\"a.b\"");
    CHECK(join("services.kafka.instances", 2) == "services.kafka.instances[2]");
}

TEST_CASE("a misspelt word is answered with the nearest one, a strange one with none") {
    std::vector<std::string> const known{"address", "arch", "role", "warning"};
    CHECK(did_you_mean("adress", known) == ", did you mean address");
    CHECK(did_you_mean("warn", known) == ", did you mean warning");
    CHECK(did_you_mean("prot", {"protocol", "port"}) == ", did you mean port");
    CHECK(did_you_mean("xyz", known).empty());
    CHECK(did_you_mean("", known).empty());
}

TEST_CASE("a key without a place has that of the key above it") {
    locations where;
    where.set("", {1, 1});
    where.set("services.redis", {4, 3});
    CHECK(where.of("services.redis.port") == position{4, 3});
    CHECK(where.of("services.redis.checks[1].tcp") == position{4, 3});
    CHECK(where.of("nodes.thanos") == position{1, 1});
}

TEST_CASE("damage covers what is below it, and shows to what is above") {
    locations where;
    where.mark_damaged("services.redis.port");
    where.mark_damaged("services.redis-2");
    CHECK(where.damaged("services.redis.port"));
    CHECK_FALSE(where.damaged("services.redis"));
    CHECK_FALSE(where.damaged("services.redis.ports"));
    CHECK(where.damaged("services.redis-2.ports.a"));
    CHECK(where.damaged_below("services.redis"));
    CHECK_FALSE(where.damaged_below("services.red"));
    CHECK_FALSE(where.damaged_below("services.redis.ports"));
}

}  // namespace bevmesh::config
