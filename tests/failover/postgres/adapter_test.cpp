// Real PostgreSQL servers as the driver's database: what becomes of a data directory.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "failover/driver/postgres_database.hpp"
#include "failover/driver/postgres_files.hpp"
#include "failover/postgres/data_directory.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "tests/failover/postgres/pair.hpp"

namespace bevmesh::failover {
namespace {

using namespace testing;
namespace fs = std::filesystem;

/// Runs the programs of a test's own server; starts and kills nothing while that is stopped.
class postgres_house final : public housing {
public:
    explicit postgres_house(postgres_process& whom) : whom_(whom) {}

    awaitable<result<running>> look() override {
        if (tells) co_return running();
        co_return failure{errc::not_found, "it does not run"};
    }
    awaitable<result<void>> start() override {
        ran.emplace_back("start");
        co_return result<void>();
    }
    awaitable<result<void>> kill(milliseconds) override { co_return result<void>(); }
    awaitable<result<void>> signal(std::string) override { co_return result<void>(); }
    awaitable<result<std::string>> run(std::vector<std::string> argv, std::string, secret,
                                       milliseconds) override {
        ran.push_back(fs::path(argv.front()).filename().string());
        if (!argv.front().starts_with('/')) argv.front().insert(0, "/usr/bin/");
        auto const said = whom_.run_tool(std::move(argv));
        if (said.first != 0) co_return failure{errc::remote_error, said.second};
        co_return said.second;
    }
    awaitable<result<launch>> launched() override {
        launch how;
        how.argv.push_back(whom_.programs() + "/postgres");
        how.environment.push_back("PGDATA=" + whom_.data());
        co_return how;
    }
    awaitable<result<std::string>> read_file(std::string) override {
        co_return failure{errc::not_found, "no file"};
    }
    std::string const& name() const noexcept override { return name_; }

    [[nodiscard]] bool did(std::string const& what) const {
        return std::find(ran.begin(), ran.end(), what) != ran.end();
    }

    std::vector<std::string> ran;
    bool tells = false;  // of the process

private:
    postgres_process& whom_;
    std::string name_ = "a process";
};

postgres_options options_for(postgres_process const& one, postgres_process const& other) {
    postgres_options how;
    how.policy.group = "db";
    how.policy.kind = kind::postgres;
    how.policy.self = one.node();
    how.policy.members = {"a", "b"};
    how.policy.timing = *profile("tailnet");
    how.policy.probe = how.policy.hang = limit;
    how.where = {{one.node(), one.address()}, {other.node(), other.address()}};
    how.login = [](postgres::address const& at) {
        bevmesh::postgres::settings s;
        s.host = at.host;
        s.port = at.port;
        return s;
    };
    how.data_dir = one.data();
    how.quarantine_dir = one.path("quarantine");
    how.mark = one.path("remaking");
    return how;
}

/// The primary's walsender lets go of it some time after its standby has gone.
awaitable<void> until_inactive(postgres_process const& primary, std::string slot) {
    auto const question =
        "select count(*) from pg_replication_slots where active and slot_name = '" + slot + "'";
    for (auto const give_up = net::now() + limit;;) {
        auto const active = co_await ask(primary, question);
        if (active == "0") co_return;
        INFO(active);
        REQUIRE(net::now() < give_up);
        co_await net::sleep_for(milliseconds(20));
    }
}

probe a_probe() {
    return {1, limit};
}

awaitable<void> follows(executor on, postgres_process& one, postgres_process& other) {
    one.start();
    auto const s = calls_to(on, one);
    auto const seen = co_await s->probe(limit);
    DETAIL(seen);
    REQUIRE(seen.has_value());
    CHECK(seen->recovery);
    auto const got = co_await s->follow(seen->process, other.address(), other.login(), limit);
    DETAIL(got);
    CHECK(got.has_value());
}

TEST_CASE("A primary that was killed, with writes of its own, is rewound and follows") {
    std::string const release = GENERATE("15", "17");
    postgres_process a("a", release);
    postgres_process b("b", release);
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, one);
            auto const second = co_await make_standby(on, other, one);
            auto const made = co_await ask(one, "create table t(n int)");
            CHECK(made.empty());
            auto const s = calls_to(on, one);
            auto const t = calls_to(on, other);
            co_await until_received(*t, *s);
            auto const ended = co_await t->end_stream(second, limit);
            REQUIRE(ended.has_value());
            auto const promoted = co_await t->promote(second, later(), gate_setting(), limit);
            REQUIRE(promoted.has_value());
            auto const checkpoint = co_await t->checkpoint(second, limit);
            REQUIRE(checkpoint.has_value());
            auto const own = co_await ask(one, "insert into t values (13)");
            CHECK(own.empty());
            one.stop(SIGQUIT);

            postgres_house house(one);
            auto const database = make_postgres_database(on, house, options_for(one, other));
            resync back;
            back.upstream = "b";
            auto const done = co_await database->perform(back);
            INFO(done.detail);
            REQUIRE(done.result == outcome::done);
            CHECK(house.did("pg_rewind"));
            CHECK_FALSE(house.did("pg_basebackup"));
            CHECK(house.ran.back() == "start");
            CHECK(fs::exists(one.data() + "/standby.signal"));
            CHECK_FALSE(fs::exists(one.path("remaking")));
            co_await follows(on, one, other);
            auto const rows = co_await ask(one, "select count(*) from t");
            CHECK(rows == "0");
        },
        a, b);
}

TEST_CASE("A standby whose WAL was removed while it was away is made anew") {
    std::string const release = GENERATE("15", "17");
    postgres_process a("a", release);
    postgres_process b("b", release);
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, other);
            co_await make_standby(on, one, other);
            one.stop(SIGINT);
            co_await until_inactive(other, std::string("bevmesh_a"));
            for (std::string const each :
                 {"alter system set wal_keep_size = 0", "select pg_reload_conf()",
                  "select pg_drop_replication_slot('bevmesh_a')", "create table t(n int)",
                  "select pg_switch_wal()", "insert into t values (1)", "select pg_switch_wal()",
                  "checkpoint", "checkpoint"}) {
                auto const said = co_await ask(other, each);
                CHECK_FALSE(said.starts_with("error: "));
            }
            one.start();
            postgres_house house(one);
            auto const database = make_postgres_database(on, house, options_for(one, other));
            follow again;
            auto const s = calls_to(on, one);
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            again.process = seen->process;
            again.upstream = "b";
            auto const refused = co_await database->perform(again);
            INFO(refused.detail);
            CHECK(refused.result == outcome::refused);
            CHECK(refused.behind);
            CHECK_FALSE(refused.diverged);
            CHECK(refused.detail.find("which 127.0.0.1 has removed") != std::string::npos);
            one.stop(SIGINT);

            resync back;
            back.upstream = "b";
            auto const done = co_await database->perform(back);
            INFO(done.detail);
            REQUIRE(done.result == outcome::done);
            CHECK_FALSE(house.did("pg_rewind"));
            CHECK(house.did("pg_basebackup"));
            co_await follows(on, one, other);
            auto const rows = co_await ask(one, "select count(*) from t");
            CHECK(rows == "1");
        },
        a, b);
}

TEST_CASE("A primary keeps WAL for the members, and a standby for nobody") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, one);
            postgres_house house(one);
            auto const first = make_postgres_database(on, house, options_for(one, other));
            auto const s = calls_to(on, one);
            // The other one has never been there.
            (void)co_await first->look(a_probe());
            auto seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            CHECK(seen->slots.contains("bevmesh_b"));

            auto const second = co_await make_standby(on, other, one);
            auto const t = calls_to(on, other);
            postgres::slot_changes kept;
            kept.make.emplace_back("bevmesh_a");
            auto const made = co_await t->set_slots(second, kept, limit);
            DETAIL(made);
            REQUIRE(made.has_value());
            postgres_house beside(other);
            auto const database = make_postgres_database(on, beside, options_for(other, one));
            (void)co_await database->look(a_probe());
            seen = co_await t->probe(limit);
            REQUIRE(seen.has_value());
            CHECK(seen->process == second);
            CHECK(seen->slots.empty());
        },
        a, b);
}

TEST_CASE("Whether its engine restarts it is asked again where it was not told") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, other);
            co_await make_standby(on, one, other);
            postgres_house house(one);
            auto const database = make_postgres_database(on, house, options_for(one, other));
            auto seen = co_await database->look(a_probe());
            CHECK_FALSE(seen.facts.boot_fenced);
            house.tells = true;
            seen = co_await database->look(a_probe());
            CHECK(seen.facts.boot_fenced);
        },
        a, b);
}

TEST_CASE("A directory whose remaking was cut short is made anew, and never started as it is") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, other);
            one.init();
            REQUIRE(postgres::set_mark(one.path("remaking")).has_value());
            postgres_house house(one);
            auto const database = make_postgres_database(on, house, options_for(one, other));
            start_database alone;
            auto const refused = co_await database->perform(alone);
            CHECK(refused.result == outcome::refused);
            CHECK(refused.detail.find("half made") != std::string::npos);
            CHECK_FALSE(house.did("start"));
            start_database from;
            from.upstream = "b";
            auto const done = co_await database->perform(from);
            INFO(done.detail);
            REQUIRE(done.result == outcome::done);
            CHECK(house.did("pg_basebackup"));
            CHECK_FALSE(fs::exists(one.path("remaking")));
            co_await follows(on, one, other);
        },
        a, b);
}

TEST_CASE("A remaking that fails leaves its mark") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, other);
            one.init();
            auto how = options_for(one, other);
            // Asked for by the slot that is made there, and refused to the backup.
            how.replication.user = "nobody-of-this-name";
            postgres_house house(one);
            auto const database = make_postgres_database(on, house, std::move(how));
            resync back;
            back.upstream = "b";
            auto const refused = co_await database->perform(back);
            CHECK(refused.result == outcome::refused);
            CHECK(fs::exists(one.path("remaking")));
            CHECK_FALSE(house.did("start"));
        },
        a, b);
}

TEST_CASE("Nothing is started in somebody else's directory") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            one.init();
            REQUIRE(::chown(one.data().c_str(), 1, 1) == 0);
            postgres_house house(one);
            auto const database = make_postgres_database(on, house, options_for(one, other));
            start_database begin;
            auto const refused = co_await database->perform(begin);
            CHECK(refused.result == outcome::refused);
            CHECK(refused.detail.find("belongs to user 1, and the server runs as 65534") !=
                  std::string::npos);
            CHECK_FALSE(house.did("start"));
        },
        a, b);
}

TEST_CASE("A base backup takes no place whose parts are elsewhere") {
    scratch where;
    fs::path const data = where.path("data");
    fs::create_directories(data / "pg_tblspc");
    fs::create_directory(data / "pg_wal");
    CHECK(postgres::may_be_replaced(data).has_value());
    CHECK(postgres::may_be_replaced(where.path("none")).has_value());
    fs::create_directory_symlink(where.path("space"), data / "pg_tblspc/16384");
    auto refused = postgres::may_be_replaced(data);
    REQUIRE(refused.has_error());
    CHECK(refused.error().doing.find("has tablespaces") != std::string::npos);
    fs::remove(data / "pg_tblspc/16384");
    fs::remove(data / "pg_wal");
    fs::create_directory_symlink(where.path("wal"), data / "pg_wal");
    refused = postgres::may_be_replaced(data);
    REQUIRE(refused.has_error());
    CHECK(refused.error().doing.find("its pg_wal elsewhere") != std::string::npos);
}

TEST_CASE("Where a server's programs and data are") {
    launch debian;
    debian.argv = {"/usr/lib/postgresql/15/bin/postgres", "-D", "/data"};
    CHECK(places_in(debian).value() == postgres_places{"/usr/lib/postgresql/15/bin", "/data"});
    launch official;
    official.argv = {"docker-entrypoint.sh", "postgres"};
    official.environment = {"PATH=/usr/bin", "PGDATA=/var/lib/postgresql/data"};
    CHECK(places_in(official).value() == postgres_places{"", "/var/lib/postgresql/data"});
    launch other;
    other.argv = {"redis-server"};
    CHECK(places_in(other).has_error());
}

}  // namespace
}  // namespace bevmesh::failover
