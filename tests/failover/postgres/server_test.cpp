// Each call on real PostgreSQL servers: a pair, its failover, its planned move, and the way back.
#include "failover/postgres/server.hpp"

#include <csignal>

#include "failover/postgres/data_directory.hpp"
#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"
#include "tests/failover/postgres/postgres_process.hpp"

namespace bevmesh::failover::postgres {
namespace {

using namespace testing;
using executor = boost::asio::any_io_executor;

constexpr auto limit = milliseconds(15'000);

template <class Test, class... Servers>
void on_loop(Test test, Servers&... servers) {
    boost::asio::io_context loop;
    run(loop, test(executor(loop.get_executor()), servers...));
}

std::unique_ptr<server> calls_to(executor const& on, postgres_process const& whom) {
    server_options options;
    options.login = whom.login();
    options.node = whom.node();
    return make_server(on, std::move(options));
}

instant later() {
    return net::now() + seconds(60);
}

gate_setting gate_of(std::string const& node) {
    gate_setting gate;
    gate.nodes.push_back(node);
    gate.count = 1;
    return gate;
}

#define DETAIL(call) INFO(((call).has_error() ? (call).error().detail : std::string()))

/// Made, boot-fenced, running, and promoted.
awaitable<std::string> make_primary(executor on, postgres_process& p) {
    p.init();
    REQUIRE(make_boot_fenced(p.data()).has_value());
    p.start();
    auto const s = calls_to(on, p);
    auto const seen = co_await s->probe(limit);
    DETAIL(seen);
    REQUIRE(seen.has_value());
    CHECK(seen->recovery);
    CHECK(to_facts(*seen, addresses()).boot_fenced);
    auto const promoted = co_await s->promote(seen->process, later(), gate_setting(), limit);
    DETAIL(promoted);
    REQUIRE(promoted.has_value());
    co_return seen->process;
}

/// From an empty directory to a standby that streams.
awaitable<std::string> make_standby(executor on, postgres_process& p, postgres_process& primary) {
    auto const upstream = calls_to(on, primary);
    auto const slot = co_await upstream->make_slot(slot_of(p.node()), limit);
    DETAIL(slot);
    REQUIRE(slot.has_value());
    CHECK(inspect(p.data())->empty);
    REQUIRE(p.base_backup(primary) == 0);
    REQUIRE(make_boot_fenced(p.data()).has_value());
    p.start();
    auto const s = calls_to(on, p);
    auto const seen = co_await s->probe(limit);
    DETAIL(seen);
    REQUIRE(seen.has_value());
    auto const follows =
        co_await s->follow(seen->process, primary.address(), primary.login(), limit);
    DETAIL(follows);
    REQUIRE(follows.has_value());
    co_return seen->process;
}

awaitable<void> until_received(server& standby, server& primary) {
    auto const there = co_await primary.probe(limit);
    auto const got = co_await standby.reach(there->at - 1, limit);
    DETAIL(got);
    REQUIRE(got.has_value());
}

TEST_CASE("Boot-fenced, promoted only as the process that was meant and in time, then writable") {
    std::string const release = GENERATE("15", "17");
    postgres_process a("a", release);
    on_loop(
        [](executor on, postgres_process& one) -> awaitable<void> {
            one.init();
            REQUIRE(make_boot_fenced(one.data()).has_value());
            one.start();
            auto const s = calls_to(on, one);
            auto const seen = co_await s->probe(limit);
            DETAIL(seen);
            REQUIRE(seen.has_value());
            CHECK(seen->recovery);
            CHECK(seen->standby_signal);
            CHECK(seen->version / 10000 >= 15);
            CHECK(seen->architecture.find("linux") != std::string::npos);
            auto proved = co_await s->prove(seen->process, limit);
            REQUIRE(proved.has_error());
            auto const wrong = co_await s->promote("1", later(), gate_setting(), limit);
            REQUIRE(wrong.has_error());
            CHECK(wrong.error().effect == outcome::refused);
            auto const over = co_await s->promote(seen->process, net::now(), gate_setting(), limit);
            REQUIRE(over.has_error());
            CHECK(over.error().effect == outcome::refused);
            auto const done = co_await s->promote(seen->process, later(), gate_setting(), limit);
            DETAIL(done);
            REQUIRE(done.has_value());
            proved = co_await s->prove(seen->process, limit);
            DETAIL(proved);
            CHECK(proved.has_value());
            auto const checkpoint = co_await s->checkpoint(seen->process, limit);
            CHECK(checkpoint.has_value());
            auto const now = co_await s->probe(limit);
            REQUIRE(now.has_value());
            CHECK_FALSE(now->recovery);
            CHECK(now->process == seen->process);
            CHECK(now->timeline == 2);
            CHECK(history_of(*now).descends_from(history_of(*seen).id));
            // One that comes late finds a primary, and leaves its gate alone.
            gate_setting const gate{{"b"}, 1};
            auto const shut = co_await s->set_gate(seen->process, gate, limit);
            REQUIRE(shut.has_value());
            auto const late = co_await s->promote(seen->process, later(), gate_setting(), limit);
            CHECK(late.has_value());
            auto const after = co_await s->probe(limit);
            REQUIRE(after.has_value());
            CHECK(after->synchronous_names == synchronous_names(gate));
        },
        a);
}

TEST_CASE(
    "A gate holds commits while its standby is away, and an old primary rewinds its way back") {
    std::string const release = GENERATE("15", "17");
    postgres_process a("a", release);
    postgres_process b("b", release);
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            auto const first = co_await make_primary(on, one);
            auto const second = co_await make_standby(on, other, one);
            auto const s = calls_to(on, one);
            auto const t = calls_to(on, other);
            auto const gated = co_await s->set_gate(first, gate_of("b"), limit);
            DETAIL(gated);
            REQUIRE(gated.has_value());
            auto proved = co_await s->prove(first, limit);
            DETAIL(proved);
            CHECK(proved.has_value());
            auto const state = co_await s->probe(limit);
            REQUIRE(state->standbys.size() == 1);
            CHECK(state->standbys[0].name == "b");
            CHECK(state->standbys[0].counts);
            CHECK(state->at >= *gated);
            auto const made = co_await ask(one, "create table t(n int)");
            CHECK(made.empty());
            co_await until_received(*t, *s);

            // The taker ends the stream: the old primary's commits wait from now on.
            auto const ended = co_await t->end_stream(second, limit);
            DETAIL(ended);
            REQUIRE(ended.has_value());
            proved = co_await s->prove(first, milliseconds(700));
            REQUIRE(proved.has_error());
            CHECK(proved.error().why == condition::write_fails);
            auto const left = co_await ask(
                one, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'");
            CHECK(left == "0");  // what was given up waits no more

            auto const promoted = co_await t->promote(second, later(), gate_setting(), limit);
            DETAIL(promoted);
            REQUIRE(promoted.has_value());
            auto const checkpoint = co_await t->checkpoint(second, limit);
            CHECK(checkpoint.has_value());
            auto const relaxed = co_await s->set_gate(first, gate_setting(), limit);
            CHECK(relaxed.has_value());
            auto const own = co_await ask(one, "insert into t values (13)");
            CHECK(own.empty());
            one.stop(SIGQUIT);

            // Back, fenced: it holds what the new primary lacks.
            REQUIRE(make_boot_fenced(one.data()).has_value());
            one.start();
            auto const back = co_await s->probe(limit);
            REQUIRE(back.has_value());
            CHECK(back->recovery);
            CHECK(back->process != first);
            auto const refused =
                co_await s->follow(back->process, other.address(), other.login(), limit);
            REQUIRE(refused.has_error());
            INFO(refused.error().detail);
            CHECK(refused.error().diverged);
            one.stop(SIGINT);
            auto const fork = history_of(*co_await t->probe(limit)).ancestors.back();
            auto const kept = quarantine(one.data(), back->timeline, fork.end, 16 << 20,
                                         one.path("quarantine"), "e7");
            INFO((kept.has_error() ? describe(kept.error()) : std::string()));
            REQUIRE(kept.has_value());
            CHECK(kept->size() >= 2);
            auto const slot = co_await t->make_slot(slot_of("a"), limit);
            REQUIRE(slot.has_value());
            REQUIRE(one.rewind(other) == 0);
            std::map<std::string, secret> upstream;
            upstream["primary_conninfo"] =
                connection_string(replication_login(), other.address(), "a");
            upstream["primary_slot_name"] = secret(slot_of("a"));
            REQUIRE(write_settings(one.data(), upstream).has_value());
            REQUIRE(make_boot_fenced(one.data()).has_value());
            one.start();
            auto const rewound = co_await s->probe(limit);
            REQUIRE(rewound.has_value());
            auto const follows =
                co_await s->follow(rewound->process, other.address(), other.login(), limit);
            DETAIL(follows);
            CHECK(follows.has_value());
            auto const rows = co_await ask(one, "select count(*) from t");
            CHECK(rows == "0");
        },
        a, b);
}

TEST_CASE(
    "A planned move: fast stop, the standby has the shutdown checkpoint, and both change roles") {
    std::string const release = GENERATE("15", "17");
    postgres_process a("a", release);
    postgres_process b("b", release);
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            co_await make_primary(on, one);
            auto const second = co_await make_standby(on, other, one);
            auto const s = calls_to(on, one);
            auto const t = calls_to(on, other);
            co_await ask(one, "create table t as select generate_series(1, 1000) n");
            one.stop(SIGINT);
            auto const stopped = read_control(one.control());
            REQUIRE(stopped.has_value());
            CHECK(stopped->shut_down());
            auto const reached = co_await t->reach(stopped->checkpoint, limit);
            DETAIL(reached);
            REQUIRE(reached.has_value());
            auto const at = co_await t->probe(limit);
            CHECK(holds_all(*stopped, at->timeline, at->at));
            auto const promoted = co_await t->promote(second, later(), gate_setting(), limit);
            DETAIL(promoted);
            REQUIRE(promoted.has_value());
            auto const rows = co_await ask(other, "select count(*) from t");
            CHECK(rows == "1000");
            REQUIRE(make_boot_fenced(one.data()).has_value());
            one.start();
            auto const back = co_await s->probe(limit);
            REQUIRE(back.has_value());
            auto const follows =
                co_await s->follow(back->process, other.address(), other.login(), limit);
            DETAIL(follows);
            CHECK(follows.has_value());
            auto const now = co_await t->probe(limit);
            CHECK(now->slots.contains(slot_of("a")));
            addresses others;
            others["a"] = one.address();
            REQUIRE(to_facts(*now, others).replicas.size() == 1);
            CHECK(to_facts(*now, others).replicas[0].streaming);
        },
        a, b);
}

TEST_CASE("Frozen, gone, locked out and foreign are told apart") {
    postgres_process a("a");
    postgres_process b("b");
    on_loop(
        [](executor on, postgres_process& one, postgres_process& other) -> awaitable<void> {
            auto const process = co_await make_primary(on, one);
            auto const s = calls_to(on, one);
            co_await make_primary(on, other);
            co_await ask(one, "create role locked login superuser password 'right'");
            server_options locked;
            locked.login = one.login();
            locked.login.user = "locked";
            locked.login.password = secret("wrong-secret");
            auto const l = make_server(on, std::move(locked));
            auto const seen = co_await l->probe(limit);
            REQUIRE(seen.has_error());
            CHECK(seen.error().why == condition::bad_credentials);
            CHECK(seen.error().detail.find("wrong-secret") == std::string::npos);

            other.stop(SIGINT);
            REQUIRE(make_boot_fenced(other.data()).has_value());
            other.start();
            auto const t = calls_to(on, other);
            auto const theirs = co_await t->probe(limit);
            auto const foreign =
                co_await t->follow(theirs->process, one.address(), one.login(), limit);
            REQUIRE(foreign.has_error());
            CHECK(foreign.error().why == condition::foreign_data);
            CHECK(foreign.error().effect == outcome::refused);
            auto const control = read_control(one.control());
            REQUIRE(control.has_value());
            CHECK(objection(*inspect(one.data()), one.data(), 65534, &*control, theirs->system)
                      .find("another cluster") != std::string::npos);
            CHECK(objection(*inspect(one.data()), one.data(), 33, &*control, control->system)
                      .find("belongs to user 65534") != std::string::npos);
            CHECK(objection(*inspect(one.data()), one.data(), 65534, &*control, control->system)
                      .empty());

            one.freeze(true);
            auto const hung = co_await s->probe(milliseconds(300));
            REQUIRE(hung.has_error());
            CHECK(hung.error().why == condition::hung);
            one.freeze(false);
            one.stop(SIGQUIT);
            auto const gone = co_await s->probe(milliseconds(500));
            REQUIRE(gone.has_error());
            CHECK(gone.error().why == condition::refused);
            auto const write = co_await s->prove(process, milliseconds(500));
            REQUIRE(write.has_error());
            CHECK(write.error().effect == outcome::refused);
        },
        a, b);
}

}  // namespace
}  // namespace bevmesh::failover::postgres
