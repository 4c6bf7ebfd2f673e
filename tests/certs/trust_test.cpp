// Another trust bundle, and another CRL, for a certificate that stays, or that is revoked itself.
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

trust crl(table& t, std::string const& hash) {
    t.crl = hash;
    return trust{t.bundle, hash};
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

TEST_CASE("another CRL alone is installed and told, and nothing is signed for it") {
    auto t = settled();
    t.give(bundle(t, "b"));
    static_cast<void>(t.done());
    t.give(crl(t, "first"));
    CHECK(deeds(t.done()) == lines{"0m trust 2", "0m write 3", "0m swap 3", "0m reload 3",
                                   "0m verify 3", "0m forget older than 2"});
    CHECK(t.state.proven->crl == "first");
    t.give(crl(t, "first"));
    CHECK(t.done().empty());
    // Where none is known, as after a start without Vault, what there is stays.
    t.give(trust{"b"});
    CHECK(t.done().empty());
    t.give(crl(t, "second"));
    CHECK(t.state.proven->crl == "second");
    CHECK(t.state.proven->serial == "s1");
    CHECK(t.signs == 1);
}

TEST_CASE(
    "a first certificate that waits for its service gets the CRLs that the service needs to "
    "start") {
    table t;
    t.fails[operation::reload] = local("nobody is there");
    t.give(tick{});
    static_cast<void>(t.done());
    t.give(crl(t, "first"));
    t.advance(minutes(6));
    CHECK(count(t.done(), " trust 1") == 1);
    CHECK(t.in_use == 2);
    t.fails.clear();
    t.advance(minutes(6));
    CHECK(t.state.proven->crl == "first");
    CHECK(t.signs == 1);
}

TEST_CASE("the certificate before is kept, as long as CRLs alone come: it may have to be revoked") {
    auto t = settled();
    t.give(rotate{});
    static_cast<void>(t.done());
    for (int i = 0; i < 3; ++i)
        t.give(crl(t, std::to_string(i)));
    auto const all = t.done();
    CHECK(count(all, "forget older than 2") == 1);
    CHECK(count(all, "forget older than 3 but 1") == 1);
    CHECK(count(all, "forget older than 4 but 1") == 1);
    t.restart();
    t.give(crl(t, "3"));
    CHECK(count(t.done(), "forget older than 5 but 1") == 1);
    t.give(rotate{});
    CHECK(count(t.done(), "forget older than 6") == 1);
    CHECK(t.state.previous == 6);
}

TEST_CASE("a CRL that a service does not take is taken back, and tried again") {
    auto t = settled();
    t.give(bundle(t, "b"));
    t.fails[operation::reload] = local("exit status 1");
    t.give(crl(t, "bad for it"));
    CHECK(t.in_use == 2);
    CHECK(t.state.proven->crl.empty());
    t.fails.clear();
    t.advance(minutes(6));
    CHECK(t.state.proven->crl == "bad for it");
    CHECK(t.signs == 1);
}

TEST_CASE("a certificate that is revoked while it is in use is replaced at once, with an alarm") {
    auto t = settled();
    t.give(revoked{"s1"});
    auto const all = t.done();
    CHECK(count(all,
                "alarm: thanos/redis: generation 1 (serial s1) was revoked: another one is "
                "asked for") == 1);
    CHECK(t.state.proven->serial == "s2");
    // The same CRL is seen again and again, and has no other certificate on it.
    t.give(revoked{"s1"});
    t.advance(minutes(1));
    CHECK(t.signs == 2);
}

TEST_CASE("a revoked certificate that cannot be replaced asks Vault no more often than others") {
    auto t = settled();
    t.fails[operation::sign] = {operation::none, fault::transient, "sealed"};
    for (int i = 0; i < 360; ++i) {
        t.give(revoked{"s1"});
        t.advance(seconds(10));
    }
    CHECK(count(t.done(), "was revoked") == 1);
    CHECK(t.signs < 40);
    t.restart();
    t.fails.clear();
    t.give(tick{});
    CHECK(t.state.proven->serial != "s1");
}
