// The rules of blocking queries, one by one.
#include "mesh/consul/watch_rules.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::consul;

namespace {

instant at(std::int64_t ms) {
    return instant(milliseconds(ms));
}

answer<bool> indexed(std::uint64_t index) {
    answer<bool> a;
    a.index = index;
    return a;
}

struct watcher {
    explicit watcher(watch_policy p = {}) : rules(p) {}
    watch_verdict got(answer<bool> const& a, bool same_content = false) {
        return rules.on_answer(a, same_content, at(now), random);
    }
    std::uint64_t asks() { return rules.next(at(now += 1'000)).how.index; }

    watch_rules rules;
    random_source random{1};
    std::int64_t now = 10'000;
};

}  // namespace

TEST_CASE("the first query does not block, the next waits from the index that came") {
    watcher w;
    auto const first = w.rules.next(at(0));
    CHECK(first.how.index == 0);
    CHECK(first.how.wait == milliseconds(0));
    CHECK(first.not_before <= at(0));
    CHECK(w.got(indexed(7)) == watch_verdict::news);
    auto const second = w.rules.next(at(10'000));
    CHECK(second.how.index == 7);
    CHECK(second.how.wait == seconds(300));
}

TEST_CASE("the same index is a time-out and no change") {
    watcher w;
    w.got(indexed(7));
    CHECK(w.got(indexed(7), false) == watch_verdict::unchanged);
}

TEST_CASE("a new index with the same content is no change, and is waited from") {
    watcher w;
    w.got(indexed(7));
    CHECK(w.got(indexed(9), true) == watch_verdict::unchanged);
    CHECK(w.asks() == 9);
    CHECK(w.got(indexed(10), false) == watch_verdict::news);
}

TEST_CASE("an index that went back starts over, and its content counts") {
    watcher w;
    w.got(indexed(100));
    CHECK(w.got(indexed(3), false) == watch_verdict::news);
    CHECK(w.asks() == 0);
    CHECK(w.got(indexed(3), true) == watch_verdict::unchanged);
    CHECK(w.asks() == 3);
}

TEST_CASE("an index of zero counts as one, so that the next query blocks") {
    watcher w;
    CHECK(w.got(indexed(0)) == watch_verdict::news);
    CHECK(w.asks() == 1);
}

TEST_CASE("queries come at a bounded rate: a burst, then one in each pace") {
    watch_policy p;
    p.pace = milliseconds(100);
    p.burst = 2;
    watch_rules rules(p);
    CHECK(rules.next(at(10'000)).not_before <= at(10'000));
    CHECK(rules.next(at(10'000)).not_before <= at(10'000));
    CHECK(rules.next(at(10'000)).not_before == at(10'100));
    CHECK(rules.next(at(10'100)).not_before == at(10'200));
    // Rest gives the burst back, but never more than the burst.
    CHECK(rules.next(at(20'000)).not_before <= at(20'000));
    CHECK(rules.next(at(20'000)).not_before <= at(20'000));
    CHECK(rules.next(at(20'000)).not_before == at(20'100));
}

TEST_CASE("failures back off, the last data stand, and success ends it") {
    watcher w;
    w.got(indexed(7));
    instant last = at(w.now);
    for (int i = 0; i < 20; ++i) {
        w.rules.on_failure(at(w.now), w.random);
        auto const q = w.rules.next(at(w.now));
        CHECK(q.how.index == 7);
        CHECK(q.not_before > at(w.now));
        CHECK(q.not_before <= at(w.now + 30'000));
        last = q.not_before;
        w.now += 60'000;
    }
    CHECK(last - at(w.now - 60'000) >= seconds(15));
    CHECK(w.rules.failures() == 20);
    CHECK(w.got(indexed(7), true) == watch_verdict::unchanged);
    CHECK(w.rules.failures() == 0);
    CHECK(w.rules.next(at(w.now)).not_before <= at(w.now));
}

TEST_CASE("a filtered answer is no data, and is asked for again from the start, later") {
    watcher w;
    w.got(indexed(7));
    auto hidden = indexed(8);
    hidden.filtered = true;
    CHECK(w.got(hidden, false) == watch_verdict::filtered);
    auto const q = w.rules.next(at(w.now));
    CHECK(q.how.index == 0);
    CHECK(q.not_before > at(w.now));
    CHECK(w.got(indexed(8), true) == watch_verdict::unchanged);
}

TEST_CASE("a server that is behind is not believed, and the leader is asked next") {
    watch_policy p;
    p.stale = true;
    watcher w(p);
    CHECK(w.rules.next(at(0)).how.stale);
    auto behind = indexed(7);
    behind.last_contact = seconds(6);
    CHECK(w.got(behind) == watch_verdict::distrust);
    CHECK_FALSE(w.rules.next(at(w.now)).how.stale);
    CHECK(w.got(indexed(8)) == watch_verdict::news);
    CHECK(w.rules.next(at(w.now)).how.stale);
    auto fresh = indexed(9);
    fresh.last_contact = milliseconds(40);
    CHECK(w.got(fresh) == watch_verdict::news);
}

TEST_CASE("without a leader nothing is believed and the tries back off") {
    watcher w;
    auto lost = indexed(7);
    lost.known_leader = false;
    CHECK(w.got(lost) == watch_verdict::distrust);
    CHECK(w.rules.next(at(w.now)).not_before > at(w.now));
    CHECK(w.rules.failures() == 1);
}
