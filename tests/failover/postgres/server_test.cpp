// Each call on real PostgreSQL servers: a pair, its failover, its planned move, and the way back.
#include "failover/postgres/server.hpp"

#include <csignal>

#include "failover/postgres/data_directory.hpp"
#include "mesh/net/clock.hpp"
#include "tests/failover/postgres/pair.hpp"

namespace bevmesh::failover::postgres {
namespace {

using namespace testing;

gate_setting gate_of(std::string const& node) {
    gate_setting gate;
    gate.nodes.push_back(node);
    gate.count = 1;
    return gate;
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
            auto const state = co_await until_counted(*s);
            CHECK(state.standbys[0].name == "b");
            CHECK(state.at >= *gated);
            auto const made = co_await ask(one, "create table t(n int)");
            CHECK(made.empty());
            co_await until_received(*t, *s);

            // The taker ends the stream: the old primary's commits wait from now on.
            auto const ended = co_await t->end_stream(second, limit);
            DETAIL(ended);
            REQUIRE(ended.has_value());
            auto const held = co_await ask_for(milliseconds(300), one, "insert into t values (12)");
            CHECK(held.starts_with("error: "));
            // The disk is proved, not the gate.
            proved = co_await s->prove(first, limit);
            DETAIL(proved);
            CHECK(proved.has_value());

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
            auto const read = control_of(one.data());
            INFO((read ? std::string() : describe(read.error())));
            REQUIRE(read.has_value());
            CHECK(*read == *stopped);
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
            auto const now = co_await until_streaming(*t);
            CHECK(now.slots.contains(slot_of("a")));
            addresses others;
            others["a"] = one.address();
            REQUIRE(to_facts(now, others).replicas.size() == 1);
            CHECK(to_facts(now, others).replicas[0].streaming);
        },
        a, b);
}

TEST_CASE("A look whose standing connection was ended asks on another one") {
    postgres_process a("a");
    on_loop(
        [](executor on, postgres_process& one) -> awaitable<void> {
            co_await make_primary(on, one);
            auto const s = calls_to(on, one);
            auto const first = co_await s->probe(limit);
            REQUIRE(first.has_value());
            co_await ask(one,
                         "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
                         "backend_type = 'client backend' and pid <> pg_backend_pid()");
            auto const second = co_await s->probe(limit);
            DETAIL(second);
            REQUIRE(second.has_value());
            CHECK(second->process == first->process);
        },
        a);
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
            auto login = one.login();
            login.user = "locked";
            login.password = secret("wrong-secret");
            locked.login = [login] { return login; };
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
            auto const running = control_of(one.data());
            REQUIRE(running.has_value());
            CHECK(*running == *control);
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
            auto const gone = co_await s->probe(limit);
            REQUIRE(gone.has_error());
            CHECK(gone.error().why == condition::refused);
            auto const write = co_await s->prove(process, limit);
            REQUIRE(write.has_error());
            CHECK(write.error().effect == outcome::refused);
        },
        a, b);
}

}  // namespace
}  // namespace bevmesh::failover::postgres
