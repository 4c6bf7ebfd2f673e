// Decoding of what PostgreSQL 15 says, and what follows from it.
#include "failover/postgres/state.hpp"

#include <cstring>

#include "failover/postgres/control.hpp"
#include "failover/postgres/control_file.hpp"
#include "failover/postgres/server.hpp"
#include "failover/postgres/silence.hpp"
#include "tests/catch.hpp"

namespace bevmesh::failover::postgres {
namespace {

// As state_query() was answered by a PostgreSQL 15 primary with one standby.
char const* const primary = R"json({"process" : "1795494067402210",
 "system" : "7576151943374573603", "version" : 150015,
 "built" : "PostgreSQL 15.15 (Debian) on x86_64-pc-linux-gnu, compiled by gcc 12.2.0, 64-bit",
 "collation" : null, "collation_actual" : null, "recovery" : false, "timeline" : 2,
 "at" : "0/3000148", "replayed" : null, "replay_paused" : null, "standby_signal" : null,
 "restart_after_crash" : false, "receiver" : null, "primary_conninfo" : "", "slot" : "",
 "synchronous_names" : "ANY 1 (\"b\")", "synchronous_commit" : "on",
 "data_directory" : "/data", "can_rewind" : true,
 "standbys" : [{"name" : "b", "state" : "streaming", "flushed" : "0/3000148", "counts" : true}],
 "slots" : {"bevmesh_b": "reserved"}})json";

char const* const control = R"(pg_control version number:            1300
Database system identifier:           7576151943374573603
Database cluster state:               shut down
Latest checkpoint location:           0/4000028
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     0/0
wal_log_hints setting:                off
Data page checksum version:           1
)";

server_state at(std::uint32_t timeline, position lsn, std::string history = {}) {
    server_state s;
    s.system = "7";
    s.timeline = timeline;
    s.at = lsn;
    s.timeline_history = std::move(history);
    return s;
}

TEST_CASE("A primary's state, and in the core's words") {
    auto const s = read_state(primary);
    REQUIRE(s.has_value());
    CHECK(s->process == "1795494067402210");
    CHECK(s->architecture == "x86_64-pc-linux-gnu");
    CHECK(s->at == 0x3000148);
    CHECK(s->synchronous_names == "ANY 1 (\"b\")");
    CHECK(s->slots.at("bevmesh_b") == "reserved");
    auto const facts = to_facts(*s, {{"b", {"10.0.0.2", 5432}}});
    CHECK(facts.role == role::primary);
    CHECK(facts.history.id == "7576151943374573603/2");
    CHECK(facts.boot_fenced);
    CHECK(facts.replicas == std::vector<replica_view>{{"b", 0x3000148, true}});
    CHECK(to_facts(*s, {}).replicas.empty());
}

TEST_CASE("A server that restarts itself after a crash is not boot-fenced") {
    auto s = *read_state(primary);
    s.restart_after_crash = true;
    CHECK_FALSE(to_facts(s, {}).boot_fenced);
    s.restart_after_crash = false;
    s.recovery = true;
    CHECK_FALSE(to_facts(s, {}).boot_fenced);
    s.standby_signal = true;
    CHECK(to_facts(s, {}).boot_fenced);
}

TEST_CASE("What is no such answer is bad_answer, also when it is cut") {
    CHECK(read_state("").error().code == errc::bad_answer);
    CHECK(read_state("[]").error().code == errc::bad_answer);
    CHECK(read_state("{\"process\": 5, \"system\": {}}").error().code == errc::bad_answer);
    std::string const whole = primary;
    for (std::size_t size = 0; size < whole.size(); size += 11)
        CHECK(read_state(whole.substr(0, size)).has_error());
}

TEST_CASE("A standby that gets nothing of what is there streams no longer, whatever its row says") {
    database_facts facts;
    facts.role = role::primary;
    facts.at = 100;
    facts.replicas = {{"b", 100, true}};
    silence s;
    auto const patience = seconds(1);
    auto now = instant(seconds(50));
    auto const streams = [&](position at, position flushed, milliseconds later) {
        now += later;
        facts.at = at;
        facts.replicas = {{"b", flushed, true}};
        s.judge(facts, now, patience);
        return facts.replicas[0].streaming;
    };
    CHECK(streams(100, 100, milliseconds(0)));
    CHECK(streams(100, 100, seconds(60)));  // nothing to get
    CHECK(streams(110, 100, milliseconds(500)));
    CHECK(streams(120, 105, milliseconds(500)));  // slow, and it comes
    CHECK(streams(130, 105, milliseconds(900)));
    CHECK_FALSE(streams(140, 105, milliseconds(200)));
    CHECK(streams(150, 150, milliseconds(500)));  // it is back
}

TEST_CASE("LSNs") {
    CHECK(read_lsn("0/3000148") == 0x3000148);
    CHECK(read_lsn("1A/FFFFFFFF") == 0x1AFFFFFFFF);
    CHECK(to_lsn(0x1A000000B0) == "1A/B0");
    for (auto const* wrong : {"", "/", "0/", "/1", "1", "0/1x", "1/2/3", "100000000/0"})
        CHECK_FALSE(read_lsn(wrong).has_value());
}

TEST_CASE("A standby diverged when it holds what the upstream's history does not") {
    auto const upstream = at(3, 0x5000000,
                             "1\t0/2000000\tno recovery target specified\n\n# x\n"
                             "2\t0/4000000\tno recovery target specified\n");
    CHECK_FALSE(diverged(at(3, 0x5000000), upstream));
    CHECK(diverged(at(3, 0x5000001), upstream));
    CHECK_FALSE(diverged(at(2, 0x4000000), upstream));
    CHECK(diverged(at(2, 0x4000001), upstream));
    CHECK_FALSE(diverged(at(1, 0x1000000), upstream));
    CHECK(diverged(at(1, 0x2000001), upstream));
    CHECK(diverged(at(4, 0x1000000), upstream));
    auto foreign = at(3, 0x1000000);
    foreign.system = "8";
    CHECK(diverged(foreign, upstream));
}

TEST_CASE("Names of synchronous standbys") {
    CHECK(synchronous_names({}).empty());
    CHECK(synchronous_names({{"oracle1"}, 0}).empty());
    CHECK(synchronous_names({{"oracle1", "star\"lord"}, 1}) ==
          "ANY 1 (\"oracle1\", \"star\"\"lord\")");
}

TEST_CASE("Members that differ are warned of") {
    server_state a;
    a.version = 150015;
    a.architecture = "x86_64-pc-linux-gnu";
    a.collation = a.collation_actual = "2.36";
    CHECK(warnings(a, a).empty());
    auto b = a;
    b.version = 170002;
    b.architecture = "aarch64-unknown-linux-gnu";
    b.collation_actual = "2.41";
    CHECK(warnings(a, b).size() == 4);
}

TEST_CASE("Control data, and when a stopped primary's standby holds all") {
    auto const c = read_control(control);
    REQUIRE(c.has_value());
    CHECK(c->system == "7576151943374573603");
    CHECK(c->timeline == 2);
    CHECK(c->checksums);
    CHECK_FALSE(c->log_hints);
    CHECK(holds_all(*c, 2, 0x4000029));
    CHECK_FALSE(holds_all(*c, 2, 0x4000028));
    CHECK_FALSE(holds_all(*c, 1, 0x5000000));
    auto crashed = *c;
    crashed.state = "in production";
    CHECK_FALSE(holds_all(crashed, 2, 0x5000000));
    CHECK(read_control("pg_controldata: error\n").error().code == errc::bad_answer);
}

TEST_CASE("A control file that is cut short, damaged or of another version is not believed") {
    std::string bytes(8192, '\0');
    CHECK(read_control_file(std::string_view(bytes).substr(0, 291)).error().code ==
          errc::bad_answer);
    CHECK(read_control_file(bytes).error().code == errc::not_found);
    std::uint32_t const version = 1300;
    std::memcpy(bytes.data() + 8, &version, sizeof version);
    CHECK(read_control_file(bytes).error().code == errc::bad_answer);
}

TEST_CASE("What a rewind gives up: the WAL from the fork on, and the histories") {
    std::vector<std::string> const names{
        "000000010000000000000002",        "000000010000000000000003", "000000010000000000000004",
        "000000020000000000000003",        "00000002.history",         "archive_status",
        "000000010000000000000005.partial"};
    auto const found = wal_since(names, 1, 0x3000028, 16 << 20);
    CHECK(found == std::vector<std::string>{"000000010000000000000003", "000000010000000000000004",
                                            "000000020000000000000003", "00000002.history",
                                            "000000010000000000000005.partial"});
}

TEST_CASE("Slots: a primary has one for each other member, a standby none of ours") {
    addresses const others{{"b", {"10.0.0.2", 5432}}, {"c", {"10.0.0.3", 5432}}};
    server_state leader;
    leader.slots = {{"bevmesh_b", "lost"}, {"bevmesh_old", "reserved"}, {"backup", "reserved"}};
    CHECK(changes_of_slots(leader, others) == slot_changes{{"bevmesh_b", "bevmesh_c"}, {}});
    leader.slots = {{"bevmesh_b", "extended"}, {"bevmesh_c", "reserved"}, {"backup", "lost"}};
    CHECK(changes_of_slots(leader, others).empty());
    server_state standby;
    standby.recovery = true;
    standby.slots = leader.slots;
    CHECK(changes_of_slots(standby, others) == slot_changes{{}, {"bevmesh_b", "bevmesh_c"}});
}

TEST_CASE("Where a file of pg_wal begins") {
    CHECK(begin_of_segment("0000000000000003", 16 << 20) == 0x3000000);
    CHECK(begin_of_segment("00000002000000FF", 16 << 20) == 0x2FF000000);
    CHECK(begin_of_segment("0000000200000001", 64 << 20) == 0x204000000);
    CHECK_FALSE(begin_of_segment("", 16 << 20));
    CHECK_FALSE(begin_of_segment("000000000000000x", 16 << 20));
    CHECK_FALSE(begin_of_segment("0000000000000003", 0));
}

TEST_CASE("The standby's connection: a pass file rather than a password, values quoted") {
    replication_login login;
    login.user = "repl";
    login.password = secret("p'w\\d");
    CHECK(connection_string(login, {"10.0.0.2", 5432}, "b").reveal() ==
          "host='10.0.0.2' port=5432 user='repl' application_name='b' password='p\\'w\\\\d'");
    login.pass_file = "/secret/pass";
    CHECK(connection_string(login, {"10.0.0.2", 5432}, "b").reveal() ==
          "host='10.0.0.2' port=5432 user='repl' application_name='b' passfile='/secret/pass'");
    login.ssl_mode = "verify-full";
    login.ssl_root_cert = "/tls/ca.pem";
    login.ssl_cert = "/tls/cert.pem";
    login.ssl_key = "/tls/key.pem";
    CHECK(connection_string(login, {"10.0.0.2", 5432}, "b").reveal() ==
          "host='10.0.0.2' port=5432 user='repl' application_name='b' passfile='/secret/pass' "
          "sslmode='verify-full' sslrootcert='/tls/ca.pem' sslcert='/tls/cert.pem' "
          "sslkey='/tls/key.pem'");
    CHECK(slot_of("Star-Lord.1") == "bevmesh_star_lord_1");
}

}  // namespace
}  // namespace bevmesh::failover::postgres
