// The core action by action, with a driver that answers at once.
#include "failover/step.hpp"

#include "failover/candidates.hpp"
#include "failover/explain.hpp"
#include "tests/catch.hpp"
#include "tests/failover/core/table.hpp"

using namespace bevmesh;
using namespace bevmesh::failover;
using test::table;

namespace {

std::size_t place_of(std::vector<std::string> const& lines, std::string const& beginning) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with(beginning)) return i;
    }
    return lines.size();
}

/// What the guard of one that serves keeps for the next daemon.
inheritance left_by(table const& t) {
    auto const& hold = *t.core.hold;
    return {hold.valid_until, {hold.index, hold.record, true}, "pa1"};
}

}  // namespace

TEST_CASE("a missing key is taken after O, and the endpoint is published last") {
    table t(test::policy_of_a());
    t.give(started{"a1", "g1", std::nullopt});
    t.advance(milliseconds(1200));
    CHECK_FALSE(t.did("write"));
    t.advance(milliseconds(800));
    CHECK(t.core.at == stage::serving);
    auto const lines = t.done();
    auto const take = place_of(lines, "write a1.1 on 0");
    auto const arm = place_of(lines, "arm guard on pa1");
    auto const promotion = place_of(lines, "promote pa1");
    auto const proof = place_of(lines, "prove pa1");
    CHECK(take < arm);
    CHECK(arm < promotion);
    CHECK(promotion < proof);
    CHECK(proof < lines.size());
    CHECK(t.entry->published);
}

TEST_CASE("nothing is taken without a live guard") {
    table t(test::policy_of_a());
    t.give(started{"a1", "", std::nullopt});
    t.advance(seconds(10));
    CHECK_FALSE(t.did("write"));
    t.give(guard_seen{"g1"});
    t.advance(seconds(3));
    CHECK(t.core.at == stage::serving);
}

TEST_CASE("the death of the database releases the lease, after the guard has forgotten it") {
    table t(test::policy_of_a());
    t.serve();
    (void)t.done();
    t.database = {};
    t.give(database_died{"pa1"});
    auto const lines = t.done();
    auto const forgotten = place_of(lines, "guard forgets");
    CHECK(forgotten < place_of(lines, "write"));
    CHECK(t.entry->state == lease_state::released);
    CHECK(t.entry->database_died);
    CHECK_FALSE(t.entry->published);
}

TEST_CASE("a replica that is dead by its own member's word is not waited for as a hiccup") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    (void)t.done();
    t.database.replicas.clear();
    SECTION("nudged: at once") {
        t.b->database = {};
        t.b->database.condition = condition::refused;
        t.give(nudged{"b"});
        CHECK_FALSE(t.entry->entry_of("b"));
    }
    SECTION("nudged, but it still runs: its stream may come back") {
        t.give(nudged{"b"});
        CHECK(t.entry->entry_of("b"));
        t.advance(milliseconds(160));
        CHECK_FALSE(t.entry->entry_of("b"));
    }
    SECTION("a stranger's nudge changes nothing before the next probe") {
        t.give(nudged{"stranger"});
        CHECK(t.entry->entry_of("b"));
    }
}

TEST_CASE("a database that dies is told to the other members") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    (void)t.done();
    t.database = {};
    t.give(database_died{"pa1"});
    CHECK(t.did("nudge b"));
}

TEST_CASE("a primary that hangs is replaced by the replica that was in sync with it") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    t.database.condition = condition::hung;
    SECTION("whose stream broke off") {
        t.b->database.streaming = false;
    }
    SECTION("whose stream stays up, with nothing coming over it") {}
    t.advance(seconds(2));
    CHECK(t.did("kill pa1"));
    CHECK(t.entry->state == lease_state::released);
    CHECK(t.entry->entry_of("b") != nullptr);
}

TEST_CASE("a primary that does not let us in serves on, with its replica in the record") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    (void)t.done();
    auto const seen = t.database;
    t.database = {};
    t.database.process = seen.process;
    t.database.condition = condition::bad_credentials;
    t.advance(seconds(5));
    CHECK(t.core.at == stage::serving);
    CHECK(t.entry->entry_of("b"));
    t.database = seen;
    t.advance(seconds(1));
    CHECK_FALSE(t.did("fence"));
    CHECK(t.entry->entry_of("b"));
}

TEST_CASE("a primary that hangs for us but whose replica still gets writes is left alone") {
    table t(test::policy_of_a());
    t.serve_with_replica();
    t.database.condition = condition::hung;
    for (int i = 0; i < 20; ++i) {
        t.b->database.at += 10;
        t.advance(milliseconds(200));
    }
    CHECK_FALSE(t.did("kill"));
    CHECK(t.core.at == stage::serving);
    SECTION("until it gets no more") {
        t.advance(seconds(2));
        CHECK(t.did("kill pa1"));
    }
}

TEST_CASE("without Consul and without promises writes stop before the lease runs out") {
    table t(test::policy_of_a());
    t.serve();
    t.consul_answers = false;
    t.b_promises = false;
    auto const valid_until = t.core.hold->valid_until;
    (void)t.done();
    t.advance(
        std::chrono::duration_cast<milliseconds>(valid_until - t.policy.timing.fence - t.now));
    CHECK(t.did("fence pa1"));
    CHECK(t.now < valid_until);
}

TEST_CASE("without Consul the promises of all members keep the service up") {
    table t(test::policy_of_a());
    t.serve();
    t.consul_answers = false;
    (void)t.done();
    t.advance(seconds(60));
    CHECK(t.core.at == stage::serving);
    CHECK(t.did("ask promises of b"));
    CHECK(t.did("extend guard"));
    CHECK_FALSE(t.did("fence"));
}

TEST_CASE("a member that does not hear Consul does not call itself ready to take over") {
    table t(test::policy_of_a());
    t.give(started{"a1", "g1", std::nullopt});
    t.entry.emplace();
    t.entry->holder = "b";
    t.entry->members = t.policy.members;
    t.entry->write_id = "b1.1";
    t.index = 7;
    t.give(record_seen{0, t.index, t.entry});
    t.advance(milliseconds(1300));
    CHECK(own_report(t.core, t.policy, t.now).ready);
    t.consul_answers = false;
    t.advance(seconds(1));
    CHECK_FALSE(own_report(t.core, t.policy, t.now).ready);
    t.consul_answers = true;
    t.advance(seconds(1));
    CHECK(own_report(t.core, t.policy, t.now).ready);
}

TEST_CASE("an answer that was lost is found by reading") {
    table t(test::policy_of_a());
    t.serve();
    t.consul_commits_silently = true;
    (void)t.done();
    t.advance(seconds(5));
    CHECK(t.core.at == stage::serving);
    CHECK_FALSE(t.did("fence"));
    CHECK_FALSE(t.did("ask promises"));
}

TEST_CASE("a holder fences as soon as another one holds the lease") {
    table t(test::policy_of_a());
    t.serve();
    t.entry->holder = "b";
    t.entry->write_id = "b1.1";
    t.entry->epoch += 1;
    t.index += 1;
    (void)t.done();
    t.give(record_seen{0, t.index, t.entry});
    CHECK(t.did("fence pa1"));
    CHECK_FALSE(t.core.hold.has_value());
    CHECK_FALSE(t.did("write"));
}

TEST_CASE("a promise binds for O, and is refused while a take is open") {
    table t(test::policy_of_a());
    t.serve();
    (void)t.done();
    t.give(promise_asked{"b", "b1.1", 1});
    CHECK(t.did("refuse to b: it holds the lease itself"));

    table idle(test::policy_of_a());
    idle.b->serving = true;  // so that this node does not take
    idle.give(started{"a1", "g1", std::nullopt});
    idle.give(promise_asked{"b", "b1.1", 1});
    CHECK(idle.did("promise to b"));
    CHECK(idle.core.peers.at("b").promised_until == idle.now + idle.policy.timing.observer);
}

TEST_CASE("a daemon that comes back takes the lease over from its guard") {
    table t(test::policy_of_a());
    t.serve();
    auto const left = left_by(t);
    t.core = {};
    (void)t.done();
    t.give(started{"a2", "g1", left});
    t.advance(seconds(3));
    CHECK(t.core.at == stage::serving);
    CHECK_FALSE(t.did("promote"));
    CHECK_FALSE(t.did("fence"));
}

TEST_CASE("a write that the guard was not told of any more is continued by the next daemon") {
    table t(test::policy_of_a());
    t.serve();
    auto const left = left_by(t);
    t.core = {};
    ++t.index;
    t.entry->write_id = "a1.900";
    t.b_promises = false;
    (void)t.done();
    SECTION("it was of this guard and epoch") {
        t.give(started{"a2", "g1", left});
        t.advance(seconds(3));
        CHECK(t.core.at == stage::serving);
        CHECK_FALSE(t.did("tell \"the lease of db is not the one that we wrote"));
        CHECK_FALSE(t.did("fence"));
    }
    SECTION("it was of another guard: nobody knows what was promised meanwhile") {
        t.entry->guard_id = "g0";
        t.give(started{"a2", "g1", left});
        t.advance(milliseconds(100));
        CHECK(t.did("tell \"the lease of db is not the one that we wrote"));
    }
    SECTION("it was a release") {
        t.entry->state = lease_state::released;
        t.give(started{"a2", "g1", left});
        t.advance(milliseconds(100));
        CHECK(t.did("tell \"the lease of db is not the one that we wrote"));
    }
}

TEST_CASE("a daemon that comes back moves nothing before its own renewal, and nothing at once") {
    auto rules = test::policy_of_a();
    rules.preferred = "b";
    rules.failback_after = seconds(2);
    table t(rules);
    t.serve_with_replica();
    auto left = left_by(t);
    // Its guard was not told that the endpoint names it.
    left.memory.record.published = false;
    t.core = {};
    ++t.index;
    t.entry->write_id = "a1.900";
    t.consul_answers = false;
    (void)t.done();
    t.give(started{"a2", "g1", left});
    t.give(ordered{order::switchover, "b"});
    CHECK(t.did("tell \"refuses to move db to b: the lease that this daemon found is not renewed"));
    t.consul_answers = true;
    t.advance(milliseconds(1500));
    CHECK_FALSE(t.did("tell \"moves db to b"));
    t.advance(seconds(2));
    CHECK(t.did("tell \"moves db to b: it is the preferred node"));
}

TEST_CASE("a daemon that died while it drained leaves no database without writes") {
    table t(test::policy_of_a());
    t.serve();
    auto const left = left_by(t);
    t.core = {};
    (void)t.done();
    t.resumes = false;
    t.give(started{"a2", "g1", left});
    CHECK(t.did("resume"));
    (void)t.done();
    t.advance(seconds(1));
    CHECK(t.did("resume"));
    t.resumes = true;
    t.advance(seconds(1));
    (void)t.done();
    t.advance(seconds(2));
    CHECK_FALSE(t.did("resume"));
}

TEST_CASE("a probe from before the promotion does not tell that somebody undid it") {
    table t(test::policy_of_a());
    t.give(started{"a1", "g1", std::nullopt});
    t.advance(milliseconds(1200));
    t.probes_answer = false;
    auto const asked = t.now;
    auto const seen = t.database;
    REQUIRE(seen.role == role::replica);
    t.advance(milliseconds(300));
    REQUIRE(t.core.at == stage::serving);
    SECTION("it was asked before, and answered late") {
        t.give(probed{0, asked, seen});
        CHECK(t.core.at == stage::serving);
        CHECK_FALSE(t.did("tell \"the primary of db was demoted"));
    }
    SECTION("it was asked since") {
        t.give(probed{0, t.now, seen});
        CHECK(t.did("tell \"the primary of db was demoted"));
    }
}

TEST_CASE("explain says why nobody may take, and why each would or would not be promoted") {
    table t(test::policy_of_a());
    t.b.reset();
    t.give(started{"a1", "g1", std::nullopt});
    t.advance(milliseconds(600));
    auto const e = explain(t.core, t.policy, t.now);
    CHECK(e.headline == "a may not take the lease of db: the key is missing, for another 0.7 s");
    REQUIRE(e.lines.size() == 2);
    CHECK(e.lines[1] == "b would not be promoted: it does not answer");
}
