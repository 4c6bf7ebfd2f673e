// Another trust bundle for a certificate that stays.
#include "tests/catch.hpp"
#include "tests/certs/table.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using namespace bevmesh::test;

namespace {

trust bundle(table& t, std::string const& hash) {
    t.bundle = hash;
    return trust{hash};
}

}  // namespace

TEST_CASE("another bundle is installed and told with the certificate that there is") {
    auto t = settled();
    t.give(bundle(t, "old and new"));
    CHECK(t.done() == lines{"0m trust 1", "0m write 2", "0m swap 2", "0m reload 2", "0m verify 2",
                            "0m tell: thanos/redis: generation 2 (serial s1) is shown by every "
                            "address",
                            "0m forget older than 1"});
    CHECK(t.state.proven->serial == "s1");
    CHECK(t.state.proven->trusted == "old and new");
    CHECK(t.signs == 1);
    t.give(bundle(t, "old and new"));
    CHECK(t.done().empty());
}

TEST_CASE("a bundle that a service does not take is taken back, and tried again without signing") {
    auto t = settled();
    t.fails[operation::reload] = local("exit status 1");
    t.give(bundle(t, "b"));
    CHECK(deeds(t.done()) == lines{"0m trust 1", "0m write 2", "0m swap 2", "0m reload 2",
                                   "0m swap 1", "0m reload 1"});
    CHECK(t.in_use == 1);
    CHECK(t.state.proven->trusted.empty());
    t.advance(hours(1));
    CHECK(t.signs == 1);
    t.fails.clear();
    t.advance(minutes(6));
    CHECK(t.state.proven->trusted == "b");
    CHECK(t.signs == 1);
}

TEST_CASE("a bundle on its way delays no certificate that is due or asked for, which brings it") {
    auto due = settled();
    due.fails[operation::reload] = local("exit status 1");
    due.give(bundle(due, "b"));
    due.advance(hours(17));
    CHECK(due.signs == 2);
    due.fails.clear();
    due.advance(minutes(6));
    CHECK(due.state.proven->serial == "s2");
    CHECK(due.state.proven->trusted == "b");

    auto asked = settled();
    asked.fails[operation::reload] = local("exit status 1");
    asked.give(bundle(asked, "b"));
    asked.fails.clear();
    asked.give(rotate{});
    CHECK(asked.state.proven->serial == "s2");
    CHECK(asked.signs == 2);
    asked.advance(hours(1));
    CHECK(asked.signs == 2);
}

TEST_CASE("a bundle that changes again before it is proven gives way to the next") {
    auto t = settled();
    t.fails[operation::swap] = local("read-only file system");
    t.give(bundle(t, "b"));
    static_cast<void>(t.done());
    t.fails.clear();
    t.give(bundle(t, "c"));
    t.advance(minutes(1));
    CHECK(t.state.proven->trusted == "c");
    CHECK(t.state.proven->generation == 3);
    CHECK(t.signs == 1);
}

TEST_CASE("a bundle that cuts the service's own certificate off is refused, and told") {
    auto t = settled();
    t.fails[operation::trust] = {operation::none, fault::refused, "it is not accepted"};
    t.give(bundle(t, "without its CA"));
    auto const all = t.done();
    CHECK(count(all, "alarm: thanos/redis: trust: it is not accepted") == 1);
    CHECK(count(all, "write") == 0);
    CHECK(t.in_use == 1);
}

TEST_CASE("killed between any two states of a bundle, it goes on and signs nothing") {
    for (auto const what : {operation::trust, operation::write, operation::swap, operation::reload,
                            operation::verify}) {
        INFO(name(what));
        for (bool const after : {false, true}) {
            auto t = settled();
            t.dies_in = what;
            t.dies_after = after;
            t.give(bundle(t, "b"));
            t.restart();
            t.dies_in = operation::none;
            t.give(bundle(t, "b"));
            CHECK(t.state.proven->trusted == "b");
            CHECK(t.shown == t.state.proven->generation);
            CHECK(t.signs == 1);
        }
    }
}
