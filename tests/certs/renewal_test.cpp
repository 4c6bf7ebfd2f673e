// The renewal of one certificate, told as what is done and when.
#include "certs/renewal.hpp"

#include <algorithm>
#include <array>

#include "tests/catch.hpp"
#include "tests/certs/table.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using namespace bevmesh::test;

TEST_CASE("a first certificate is issued, installed, reloaded and verified, in this order") {
    table t;
    t.give(tick{});
    CHECK(t.done() == lines{"0m check_target", "0m sign", "0m write 1", "0m swap 1", "0m reload 1",
                            "0m verify 1",
                            "0m tell: thanos/redis: generation 1 (serial s1) is shown by every "
                            "address",
                            "0m forget older than 1"});
    CHECK(t.state.proven->serial == "s1");
    CHECK_FALSE(t.state.coming);
}

TEST_CASE("a certificate is renewed once, at its own point between 0.55 and 0.70 of its life") {
    auto t = settled();
    auto const at = renew_at(*t.state.proven, "thanos/redis", {});
    auto const begin = t.now().wall;
    t.advance(at - begin - seconds(1));
    CHECK(t.done().empty());
    t.advance(seconds(31));
    CHECK(t.state.proven->serial == "s2");
    CHECK(deeds(t.done()).size() == 7);
    CHECK(t.signs == 2);
}

TEST_CASE("the points of renewal are spread evenly, and each stays") {
    leaf of;
    of.not_before = wall_time(seconds(970));
    of.not_after = wall_time(seconds(101'000));
    std::array<unsigned, 3> thirds{};
    for (unsigned i = 0; i < 300; ++i) {
        of.serial = "0" + std::to_string(i);
        auto const at = renew_at(of, "n/s", {}).time_since_epoch().count() - 1'000;
        REQUIRE(at >= 55'000);
        REQUIRE(at <= 70'000);
        ++thirds.at(static_cast<std::size_t>(std::min<std::int64_t>((at - 55'000) / 5'000, 2)));
        REQUIRE(renew_at(of, "n/s", {}).time_since_epoch().count() - 1'000 == at);
    }
    for (auto const n : thirds)
        CHECK(n > 70);
    CHECK(renew_at(of, "n/s", {}) != renew_at(of, "n/other", {}));
}

TEST_CASE("Vault away for less than the remaining life costs nothing but retries") {
    auto t = settled();
    t.fails[operation::sign] = {operation::none, fault::transient, "sealed"};
    t.advance(hours(20));
    CHECK(t.shown == 1);
    CHECK(t.state.trouble == "sign: sealed");
    CHECK(t.signs > 20);
    // Backoff: at most one a few minutes once it lasts.
    CHECK(t.signs < 200);
    t.fails.clear();
    t.advance(minutes(6));
    CHECK(t.state.proven->generation == 2);
    CHECK(t.state.trouble.empty());
}

TEST_CASE("alarms rise with closeness, each once") {
    auto t = settled();
    t.fails[operation::check_target] = local("read-only file system");
    t.advance(hours(25));
    auto const all = t.done();
    CHECK(count(all, "warning: thanos/redis: generation 1 (serial s1) ends in") == 1);
    CHECK(count(all, "alarm: thanos/redis: generation 1 (serial s1) ends in") == 1);
    CHECK(count(all, "alarm: thanos/redis: generation 1 (serial s1) has ended") == 1);
}

TEST_CASE("a target that cannot be written is found before anything is signed") {
    table t;
    t.fails[operation::check_target] = local("read-only file system");
    t.give(tick{});
    t.advance(hours(3));
    CHECK(t.signs == 0);
    CHECK(t.state.trouble == "check_target: read-only file system");
}

TEST_CASE("a local failure after signing never makes another request") {
    for (auto const what :
         {operation::write, operation::swap, operation::reload, operation::verify}) {
        INFO(name(what));
        auto t = settled();
        t.fails[what] = local("no");
        t.give(rotate{});
        t.advance(hours(3));
        CHECK(t.signs == 2);
        t.fails.clear();
        t.advance(minutes(10));
        CHECK(t.signs == 2);
        CHECK(t.state.proven->generation == 2);
        CHECK(t.shown == 2);
    }
}

TEST_CASE("a service that says yes and keeps its old certificate gets its old pair back") {
    auto t = settled();
    t.reload_works = false;
    t.give(rotate{});
    t.advance(seconds(10));
    CHECK(t.in_use == 1);
    CHECK(t.state.coming->at == stage::issued);
    auto const all = t.done();
    CHECK(count(all, "alarm: thanos/redis: going back to generation 1 (serial s1)") == 1);
    CHECK(count(all, "warning: thanos/redis: generation 1 (serial s1) is shown again") == 1);
    auto const tail = deeds(all);
    CHECK(lines(tail.end() - 3, tail.end()) == lines{"0m swap 1", "0m reload 1", "0m verify 1"});
    t.reload_works = true;
    t.advance(minutes(1));
    CHECK(t.shown == 2);
    CHECK(t.signs == 2);
}

TEST_CASE("a hook that fails: the old pair goes back and is reloaded, the new one waits") {
    auto t = settled();
    t.fails[operation::reload] = local("exit status 1");
    t.give(rotate{});
    CHECK(deeds(t.done()) == lines{"0m check_target", "0m sign", "0m write 2", "0m swap 2",
                                   "0m reload 2", "0m swap 1", "0m reload 1"});
    CHECK(t.in_use == 1);
    CHECK(t.state.coming->at == stage::issued);
}

TEST_CASE("a service that reloads in the background is looked at again before it is given up") {
    auto t = settled();
    t.reload_works = false;
    t.give(rotate{});
    t.advance(seconds(3));
    CHECK(t.state.coming->at == stage::reloaded);
    t.shown = 2;
    t.advance(seconds(1));
    CHECK(t.state.proven->generation == 2);
    CHECK(count(t.done(), "going back") == 0);
}

TEST_CASE("there is no way back to a certificate that has ended") {
    auto t = settled();
    t.fails[operation::sign] = {operation::none, fault::transient, "no leader"};
    t.advance(hours(25));
    t.fails.clear();
    t.fails[operation::reload] = local("exit status 1");
    t.advance(hours(1));
    CHECK(count(t.done(), "going back") == 0);
    CHECK(t.in_use == 2);
    CHECK(t.signs > 2);
    t.fails.clear();
    t.advance(minutes(10));
    CHECK(t.state.proven->generation == 2);
}

TEST_CASE("a window is waited for, and a nearing end overrides it") {
    auto t = settled();
    t.policy.windows = {*window::parse("0 19 * * *", minutes(30))};
    t.advance(hours(19) - seconds(1));
    CHECK(t.state.proven->generation == 1);
    t.advance(minutes(1));
    CHECK(t.state.proven->generation == 2);

    auto late = settled();
    late.policy.windows = {*window::parse("0 23 * * *", minutes(30))};
    late.advance(hours(21));
    CHECK(late.state.proven->generation == 1);
    late.advance(hours(1));
    CHECK(late.state.proven->generation == 2);
}

TEST_CASE("who asks for a rotation does not wait for a window, nor twice") {
    auto t = settled();
    t.policy.windows = {*window::parse("0 19 * * *", minutes(30))};
    t.give(rotate{});
    CHECK(t.state.proven->generation == 2);
    t.advance(hours(1));
    CHECK(t.signs == 2);
}

TEST_CASE("a wall clock that is set by an hour either way makes no certificate late") {
    for (auto const by : {-hours(1), hours(1)}) {
        auto t = settled();
        t.fails[operation::sign] = {operation::none, fault::transient, "sealed"};
        t.advance(hours(18));
        t.jump(by);
        t.fails.clear();
        // A wait goes by the steady clock: it is not an hour longer.
        t.advance(minutes(6));
        CHECK(t.state.proven->generation == 2);
        CHECK(t.signs >= 2);
    }
}

TEST_CASE(
    "killed between any two states, it goes on from what is kept and signs at most once more") {
    for (auto const what : {operation::check_target, operation::sign, operation::write,
                            operation::swap, operation::reload, operation::verify}) {
        INFO(name(what));
        for (bool const after : {false, true}) {
            auto t = settled();
            t.dies_in = what;
            t.dies_after = after;
            t.give(rotate{});
            t.restart();
            t.dies_in = operation::none;
            t.give(tick{});
            CHECK(t.state.proven->generation >= 2);
            CHECK(t.shown == t.state.proven->generation);
            // What was signed and not yet written is lost with the daemon.
            bool const lost = (what == operation::sign && after) || what == operation::write;
            CHECK(t.signs == (lost ? 3 : 2));
        }
    }
}

TEST_CASE("what is not proven for most of its life is asked for again, once a life") {
    auto t = settled();
    t.fails[operation::reload] = local("hangs");
    t.give(rotate{});
    t.advance(hours(23));
    CHECK(t.signs == 3);
}

TEST_CASE(
    "a certificate granted otherwise than it was asked for costs one signature in six hours") {
    table t;
    t.fails[operation::sign] = {operation::none, fault::wrong, "it has not the name redis"};
    t.give(tick{});
    CHECK(t.signs == 1);
    CHECK(count(t.done(), "alarm: thanos/redis: sign: it has not the name redis") == 1);
    t.advance(hours(5));
    CHECK(t.signs == 1);
    t.advance(hours(2));
    CHECK(t.signs == 2);
    // Nor does a restart ask again, nor a clock that is set back wait longer.
    t.restart();
    t.give(tick{});
    t.jump(-hours(100));
    t.advance(hours(5));
    CHECK(t.signs == 2);
    t.advance(hours(2));
    CHECK(t.signs == 3);
}

TEST_CASE("after a wrong grant an operator who asks is not kept waiting, nor another wish") {
    auto t = settled();
    t.fails[operation::sign] = {operation::none, fault::wrong, "it has not the name redis"};
    t.give(rotate{});
    CHECK(t.signs == 2);
    t.give(rotate{});
    CHECK(t.signs == 3);
    t.advance(hours(1));
    CHECK(t.signs == 3);
    t.fails.clear();
    t.policy.wanted = "other";
    t.restart();
    t.give(tick{});
    CHECK(t.signs == 4);
    CHECK(t.state.proven->wanted == "other");
    CHECK_FALSE(t.state.hold);
}

TEST_CASE("Vault's plain refusal costs no signature, and is asked again as usual") {
    table t;
    t.fails[operation::sign] = {operation::none, fault::refused, "permission denied"};
    t.give(tick{});
    t.advance(minutes(20));
    t.fails.clear();
    t.advance(minutes(6));
    CHECK(t.state.proven);
}

TEST_CASE("a certificate of other names than the wanted ones is renewed at once, and once") {
    auto t = settled();
    t.policy.wanted = "with redis-primary";
    t.give(tick{});
    CHECK(t.state.proven->wanted == "with redis-primary");
    CHECK(t.signs == 2);
    t.advance(hours(1));
    CHECK(t.signs == 2);
    // One that is under way with the old names is not brought to its end.
    t.fails[operation::reload] = local("hangs");
    t.give(rotate{});
    CHECK(t.signs == 3);
    t.policy.wanted = "without";
    t.restart();
    t.fails.clear();
    t.give(tick{});
    t.advance(minutes(10));
    CHECK(t.signs == 4);
    CHECK(t.state.proven->wanted == "without");
}
