// Planned moves under load, and the way back of an old primary, on real servers.
#include <csignal>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "failover/redis/quarantine.hpp"
#include "failover/redis/server.hpp"
#include "tests/failover/redis/calls.hpp"

namespace bevmesh::failover::redis {
namespace {

using namespace testing;

/// Writes numbers until it is told to stop or cut off; `acknowledged` is the last one.
awaitable<void> writer(redis_process const& to, bool const& stop, int& acknowledged) {
    auto const on = co_await boost::asio::this_coro::executor;
    auto const client = bevmesh::redis::make_connection(on, to.login());
    auto const at = std::chrono::steady_clock::now() + seconds(20);
    co_await (*client)->open(at);
    for (int n = 1; !stop; ++n) {
        auto const wrote = co_await (*client)->call(words("RPUSH", "list", std::to_string(n)), at);
        if (!wrote || wrote->failed()) co_return;
        acknowledged = n;
    }
}

TEST_CASE("A planned move under load: drained, demoted, promoted, and no acknowledged write lost") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const target = calls_to(on, other);
            auto const theirs = co_await make_replica(*target, other, one);
            bool stop = false;
            int acknowledged = 0;
            auto writes = writer(one, stop, acknowledged);
            boost::asio::co_spawn(on, std::move(writes), boost::asio::detached);
            // 7.0 streams to a new replica from its first acknowledgement on, up to a second later.
            auto streamed = co_await info(other, "slave_repl_offset");
            while (acknowledged < 300 || std::stoll(streamed) < 5000) {
                co_await net::sleep_for(milliseconds(1));
                streamed = co_await info(other, "slave_repl_offset");
            }
            auto const start = net::now();
            auto const at = co_await s->drain(run_id, other.login(), seconds(2), seconds(10));
            INFO((at.has_error() ? at.error().detail : std::string()));
            REQUIRE(at.has_value());
            auto const last = acknowledged;
            co_await net::sleep_for(milliseconds(50));
            CHECK(acknowledged == last);
            auto const demoted = co_await s->demote(run_id, other.address(), limit);
            REQUIRE(demoted.has_value());
            auto const promoted = co_await target->promote(theirs, later(), 0, 1, limit);
            REQUIRE(promoted.has_value());
            auto const took = net::now() - start - milliseconds(50);
            WARN("drain, demote, promote: " << took.count() / 1000 << " us");
            stop = true;
            auto const length = co_await ask(other, words("LLEN", "list"));
            CHECK(length.number == last);
            co_await until(one, "master_link_status", "up");
            auto const full = co_await info(other, "sync_full");
            CHECK(full == "0");
        },
        a, b);
}

TEST_CASE("A drain whose target does not get there is undone, and writes go on") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const target = calls_to(on, other);
            co_await make_replica(*target, other, one);
            other.process().signal(SIGSTOP);
            auto const refused =
                co_await s->drain(run_id, other.login(), milliseconds(200), seconds(10));
            REQUIRE(refused.has_error());
            CHECK(refused.error().effect == outcome::refused);
            auto const proved = co_await s->prove(run_id, limit);
            CHECK(proved.has_value());
            other.process().signal(SIGCONT);
            auto const drained = co_await s->drain(run_id, other.login(), seconds(2), seconds(10));
            REQUIRE(drained.has_value());
            auto const paused = co_await s->prove(run_id, milliseconds(1'000));
            REQUIRE(paused.has_error());
            CHECK(paused.error().effect == outcome::unknown);
            auto const resumed = co_await s->resume_writes(run_id, limit);
            CHECK(resumed.has_value());
            auto const again = co_await s->prove(run_id, limit);
            CHECK(again.has_value());
        },
        a, b);
}

TEST_CASE("An old primary with writes of its own does not follow until they are in quarantine") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const second = calls_to(on, other);
            auto const theirs = co_await make_replica(*second, other, one);
            co_await second->end_stream(theirs, limit);
            co_await ask(one, words("SET", "only-here", "precious"));
            co_await second->promote(theirs, later(), 0, 1, limit);
            co_await s->demote(run_id, std::nullopt, limit);
            auto const refused = co_await s->follow(run_id, other.address(), other.login(), limit);
            REQUIRE(refused.has_error());
            CHECK(refused.error().diverged);
            CHECK(refused.error().effect == outcome::refused);
            auto const saved = co_await s->save(run_id, seconds(5));
            INFO((saved.has_error() ? saved.error().detail : std::string()));
            REQUIRE(saved.has_value());
            CHECK(saved->directory == one.directory());
            quarantine_source from;
            from.data = saved->directory;
            from.rdb_name = saved->rdb_name;
            from.aof_directory = saved->aof_directory;
            auto const kept = quarantine(from, one.directory() + "/../quarantine", "e7");
            REQUIRE(kept.has_value());
            CHECK(kept->size() == 1);
            CHECK(quarantine(from, one.directory() + "/../quarantine", "e7").error().code ==
                  errc::conflict);
            auto const resynced = co_await s->resync(run_id, other.address(), limit);
            REQUIRE(resynced.has_value());
            co_await until(one, "master_link_status", "up");
            auto const lost = co_await ask(one, words("GET", "only-here"));
            CHECK(lost.is == reply::kind::nil);
            CHECK(text_of(one.directory() + "/../quarantine/e7/dump.rdb").find("precious") !=
                  std::string::npos);
        },
        a, b);
}

TEST_CASE("A replica that fell behind, and one without a key, follow without losing anything") {
    redis_process a;
    redis_process b;
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            co_await make_primary(*s);
            co_await ask(one, words("SET", "k", "1"));
            auto const second = calls_to(on, other);
            auto const theirs = co_await make_replica(*second, other, one);  // empty
            co_await second->end_stream(theirs, limit);
            co_await ask(one, words("SET", "k", "2"));
            co_await make_replica(*second, other, one);  // behind
            auto const value = co_await ask(other, words("GET", "k"));
            CHECK(value.text == "2");
            auto const partial = co_await info(one, "sync_partial_ok");
            CHECK(partial == "1");
        },
        a, b);
}

}  // namespace
}  // namespace bevmesh::failover::redis
