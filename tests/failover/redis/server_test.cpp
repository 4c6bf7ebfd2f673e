// Each call on a real Redis 7.0: what it does, what it refuses, and what it says when it cannot
// tell.
#include "failover/redis/server.hpp"

#include <csignal>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "failover/redis/boot_fence.hpp"
#include "tests/failover/redis/calls.hpp"

namespace bevmesh::failover::redis {
namespace {

using namespace testing;

TEST_CASE("What is on disk says replica: it takes no write, and feeds nobody") {
    redis_process const a;
    redis_process const b;
    on_loop(
        [](executor on, redis_process const& one, redis_process const& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            CHECK(seen->replica);
            CHECK(seen->upstream_port == 1);
            CHECK_FALSE(seen->link_up);
            CHECK(seen->version == "7.0.15");
            CHECK(read_boot_fence(text_of(one.file()), words("redis-server", one.file())).holds);
            auto const wrote = co_await s->prove(seen->run_id, limit);
            REQUIRE(wrote.has_error());
            CHECK(wrote.error().why == condition::write_fails);
            CHECK(wrote.error().detail.find("READONLY") != std::string::npos);
            auto const second = calls_to(on, other);
            auto const theirs = co_await second->probe(limit);
            auto const pointed = co_await second->resync(theirs->run_id, one.address(), limit);
            CHECK(pointed.has_value());
            co_await net::sleep_for(milliseconds(100));
            auto const link = co_await info(other, "master_link_status");
            CHECK(link == "down");
        },
        a, b);
}

TEST_CASE("Looks share a connection; one that was cut is not the server's end") {
    redis_process const a;
    on_loop(
        [](executor on, redis_process const& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            auto const before = co_await info(one, "total_connections_received");
            for (int i = 0; i < 5; ++i) {
                auto const again = co_await s->probe(limit);
                REQUIRE(again.has_value());
            }
            // The asker's own.
            auto const after = co_await info(one, "total_connections_received");
            CHECK(std::stoi(after) == std::stoi(before) + 1);
            auto const kill = words("CLIENT", "KILL", "TYPE", "normal");
            static_cast<void>(co_await ask(one, kill));
            auto const cut = co_await s->probe(limit);
            REQUIRE(cut.has_value());
            CHECK(cut->run_id == seen->run_id);
        },
        a);
}

TEST_CASE("Only the process that was meant is promoted, in time, and nothing is written to disk") {
    redis_process const a;
    auto const before = text_of(a.file());
    on_loop(
        [](executor on, redis_process const& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const other = std::string(40, 'a');
            auto const wrong = co_await s->promote(other, later(), 0, 1, limit);
            REQUIRE(wrong.has_error());
            CHECK(wrong.error().effect == outcome::refused);
            auto const seen = co_await s->probe(limit);
            auto const over = co_await s->promote(seen->run_id, net::now(), 0, 1, limit);
            REQUIRE(over.has_error());
            CHECK(over.error().effect == outcome::refused);
            auto role = co_await info(one, "role");
            CHECK(role == "slave");
            auto const run_id = co_await make_primary(*s);
            auto const wrote = co_await s->prove(run_id, limit);
            CHECK(wrote.has_value());
            role = co_await info(one, "role");
            CHECK(role == "master");
            auto const again = co_await s->promote(run_id, later(), 0, 1, limit);
            CHECK(again.has_value());
        },
        a);
    CHECK(text_of(a.file()) == before);
}

TEST_CASE("A promoted primary that is killed comes back as a replica, with its data") {
    redis_process a({"appendonly yes", "appendfsync always"});
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const set = co_await ask(one, words("SET", "k", "v"));
            CHECK_FALSE(set.failed());
            one.kill();
            auto const gone = co_await s->probe(limit);
            REQUIRE(gone.has_error());
            CHECK(gone.error().why == condition::refused);
            one.start();
            auto const reborn = co_await s->probe(limit);
            REQUIRE(reborn.has_value());
            CHECK(reborn->replica);
            CHECK(reborn->run_id != run_id);
            auto const old = co_await s->prove(run_id, limit);
            CHECK(old.has_error());
            co_await until(one, "loading", "0");
            auto const value = co_await ask(one, words("GET", "k"));
            CHECK(value.text == "v");
        },
        a);
}

TEST_CASE("After a demotion no client writes, also one that was connected or is subscribed") {
    redis_process const a;
    on_loop(
        [](executor on, redis_process const& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const client = bevmesh::redis::make_connection(on, one.login());
            auto const at = std::chrono::steady_clock::now() + seconds(10);
            co_await (*client)->open(at);
            auto const first = co_await (*client)->call(words("SET", "k", "1"), at);
            REQUIRE(first.has_value());
            auto const other = std::string(40, 'a');
            auto const wrong = co_await s->demote(other, std::nullopt, limit);
            REQUIRE(wrong.has_error());
            CHECK(wrong.error().effect == outcome::refused);
            auto const still = co_await (*client)->call(words("SET", "k", "2"), at);
            CHECK(still.has_value());
            auto const done = co_await s->demote(run_id, std::nullopt, limit);
            CHECK(done.has_value());
            auto const cut = co_await (*client)->call(words("SET", "k", "3"), at);
            CHECK(cut.has_error());
            auto const fresh = co_await ask(one, words("SET", "k", "4"));
            CHECK(fresh.error_code() == "READONLY");
            auto const again = co_await s->demote(run_id, std::nullopt, limit);
            CHECK(again.has_value());
            auto const value = co_await ask(one, words("GET", "k"));
            CHECK(value.text == "2");
        },
        a);
}

TEST_CASE("A raised gate stops writes without the replica's receipt; relaxed, they go on") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const replica = calls_to(on, other);
            co_await make_replica(*replica, other, one);
            auto const raised = co_await s->set_gate(run_id, 1, 1, limit);
            REQUIRE(raised.has_value());
            auto const state = co_await s->probe(limit);
            CHECK(state->gate_count == 1);
            CHECK(state->gate_lag == 1);
            CHECK(state->offset >= *raised);
            REQUIRE(state->replicas.size() == 1);
            CHECK(state->replicas[0].port == other.port());
            addresses others;
            others["b"] = other.address();
            auto const facts = to_facts(*state, others, true);
            CHECK(facts.role == role::primary);
            CHECK(facts.process == run_id);
            REQUIRE(facts.replicas.size() == 1);
            CHECK(facts.replicas[0].node == "b");
            CHECK(facts.replicas[0].streaming);
            auto proved = co_await s->prove(run_id, limit);
            CHECK(proved.has_value());
            other.kill();
            co_await until(one, "connected_slaves", "0");
            proved = co_await s->prove(run_id, limit);
            REQUIRE(proved.has_error());
            CHECK(proved.error().detail.find("NOREPLICAS") != std::string::npos);
            auto const relaxed = co_await s->set_gate(run_id, 0, 1, limit);
            CHECK(relaxed.has_value());
            proved = co_await s->prove(run_id, limit);
            CHECK(proved.has_value());
        },
        a, b);
}

TEST_CASE("A stream that was ended leaves position and history, and shuts the old primary's gate") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const replica = calls_to(on, other);
            auto const theirs = co_await make_replica(*replica, other, one);
            auto const gate = co_await s->set_gate(run_id, 1, 1, limit);
            REQUIRE(gate.has_value());
            co_await ask(one, words("SET", "k", "v"));
            auto const primary = co_await s->probe(limit);
            auto const at = std::to_string(primary->offset);
            co_await until(other, "slave_repl_offset", at);
            auto const ended = co_await replica->end_stream(theirs, limit);
            REQUIRE(ended.has_value());
            auto const shut = co_await s->prove(run_id, limit);
            REQUIRE(shut.has_error());
            CHECK(shut.error().detail.find("NOREPLICAS") != std::string::npos);
            auto const left = co_await replica->probe(limit);
            REQUIRE(left.has_value());
            CHECK(left->replica);
            CHECK_FALSE(left->link_up);
            CHECK(left->replid == primary->replid);
            CHECK(left->offset == primary->offset);
            auto const promoted = co_await replica->promote(theirs, later(), 0, 1, limit);
            REQUIRE(promoted.has_value());
            auto const now = co_await replica->probe(limit);
            CHECK(now->replid != primary->replid);
            CHECK(now->replid2 == primary->replid);
            CHECK(history_of(*now).contains(primary->replid, primary->offset));
            CHECK_FALSE(history_of(*now).contains(primary->replid, primary->offset + 1));
            auto const value = co_await ask(other, words("GET", "k"));
            CHECK(value.text == "v");
        },
        a, b);
}

}  // namespace
}  // namespace bevmesh::failover::redis
