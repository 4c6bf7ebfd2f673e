// Decoding, on answers recorded from Redis 7.0.15, and what follows from them.
#include "failover/redis/state.hpp"

#include "failover/redis/boot_fence.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/recorded.hpp"

namespace bevmesh::failover::redis {
namespace {

std::string info_of(std::string const& name) {
    return testing::recorded("redis-7.0.15/" + name + ".txt");
}

server_state state_of(std::string const& name) {
    auto const read = read_state(info_of(name), {{"min-replicas-to-write", "1"},
                                                 {"min-replicas-max-lag", "1"},
                                                 {"dir", "/data"},
                                                 {"dbfilename", "dump.rdb"}});
    REQUIRE(read.has_value());
    return *read;
}

TEST_CASE("A primary's INFO") {
    auto const s = state_of("primary");
    CHECK(s.version == "7.0.15");
    CHECK(s.run_id.size() == 40);
    CHECK_FALSE(s.replica);
    CHECK(s.replid == "6344dd0c076ccbc28d2f144305f8839c28e61543");
    CHECK(s.replid2.empty());
    CHECK(s.gate_count == 1);
    CHECK(s.gate_lag == 1);
    CHECK(s.directory == "/data");
    REQUIRE(s.replicas.size() == 1);
    CHECK(s.replicas[0] == listed_replica{"127.0.0.1", 7612, true, 0, 0});
}

TEST_CASE("A replica's INFO, with a link and boot-fenced without one") {
    auto const s = state_of("replica");
    CHECK(s.replica);
    CHECK(s.link_up);
    CHECK_FALSE(s.syncing);
    CHECK(s.upstream_host == "127.0.0.1");
    CHECK(s.upstream_port == 7611);
    CHECK(s.replid == state_of("primary").replid);
    auto const fenced = state_of("fenced");
    CHECK(fenced.replica);
    CHECK_FALSE(fenced.link_up);
    CHECK(fenced.upstream_port == 1);
}

TEST_CASE("Facts name members, and nobody for the dead address or a stranger") {
    addresses const others{{"oracle1", {"127.0.0.1", 7612}}, {"starlord", {"127.0.0.1", 7613}}};
    auto const primary = to_facts(state_of("primary"), others, true);
    CHECK(primary.role == role::primary);
    CHECK(primary.replicas == std::vector<replica_view>{{"oracle1", 0, true}});
    CHECK(to_facts(state_of("fenced"), others, true).upstream.empty());
    CHECK(to_facts(state_of("replica"), {{"thanos", {"127.0.0.1", 7611}}}, true).upstream ==
          "thanos");
    CHECK(to_facts(state_of("primary"), {}, true).replicas.empty());
}

TEST_CASE("What was promoted holds the old history up to where it left it") {
    auto const old = state_of("primary");
    auto const s = state_of("promoted");
    CHECK(s.replid2 == old.replid);
    CHECK(s.second_offset == 1);
    auto const h = history_of(s);
    CHECK(h.descends_from(old.replid));
    CHECK(h.contains(old.replid, 0));
    CHECK_FALSE(h.contains(old.replid, 1));
}

TEST_CASE("What would be lost by following") {
    server_state up;
    up.replid = std::string(40, 'b');
    up.replid2 = std::string(40, 'a');
    up.second_offset = 101;  // the old history is common up to 100
    up.offset = 500;
    auto const mine = [](char replid, position offset) {
        server_state s;
        s.replid = std::string(40, replid);
        s.offset = offset;
        return s;
    };
    CHECK_FALSE(diverged(mine('b', 500), up, false));
    CHECK(diverged(mine('b', 501), up, false));
    CHECK_FALSE(diverged(mine('a', 100), up, false));
    CHECK(diverged(mine('a', 101), up, false));
    CHECK(diverged(mine('c', 1), up, false));
    CHECK_FALSE(diverged(mine('c', 1), up, true));
    up.replid2.clear();
    CHECK(diverged(mine('a', 1), up, false));
}

TEST_CASE("An answer that is no INFO is bad_answer, and unknown lines do not matter") {
    CHECK(read_state("", {}).error().code == errc::bad_answer);
    CHECK(read_state("role:master\r\n", {}).error().code == errc::bad_answer);
    CHECK(read_state(info_of("primary") + "something:new\r\n:\r\nx\r\n", {}).has_value());
    auto cut = info_of("primary");
    for (std::size_t size = 0; size < cut.size(); size += 7)
        static_cast<void>(read_state(cut.substr(0, size), {}));
}

TEST_CASE("Error replies and what they say about the server") {
    CHECK(classify("LOADING") == condition::loading);
    CHECK(classify("BUSY") == condition::busy);
    CHECK(classify("MISCONF") == condition::write_fails);
    CHECK(classify("NOREPLICAS") == condition::write_fails);
    CHECK(classify("READONLY") == condition::write_fails);
    CHECK(classify("NOAUTH") == condition::bad_credentials);
    CHECK(classify("WRONGPASS") == condition::bad_credentials);
    CHECK(classify("ERR") == condition::ok);
}

TEST_CASE("Boot fenced is what the last word on replicaof says") {
    using argv = std::vector<std::string>;
    auto const holds = [](std::string_view file, argv const& arguments = {}) {
        return read_boot_fence(file, arguments).holds;
    };
    CHECK_FALSE(holds(""));
    CHECK(holds("port 6379\nreplicaof 127.0.0.1 1\n"));
    CHECK(holds("  SlaveOf 127.0.0.1 1\r\n"));
    CHECK(holds("replicaof \"127.0.0.1\" 1"));
    CHECK_FALSE(holds("# replicaof 127.0.0.1 1\n"));
    CHECK_FALSE(holds("replicaof 127.0.0.1 1\nreplicaof no one\n"));
    CHECK_FALSE(holds("replicaof 127.0.0.1 1\ninclude /etc/redis/more.conf\n"));
    CHECK(holds("include /etc/redis/more.conf\nreplicaof 127.0.0.1 1\n"));
    CHECK(holds("", {"redis-server", "--replicaof", "127.0.0.1", "1", "--port", "6379"}));
    CHECK(holds("", {"redis-server", "--replicaof", "127.0.0.1 1"}));
    CHECK_FALSE(holds("replicaof 127.0.0.1 1", {"redis-server", "/c", "--replicaof", "no", "one"}));
    CHECK(read_boot_fence("", {}).why.find("primary") != std::string::npos);
}

}  // namespace
}  // namespace bevmesh::failover::redis
