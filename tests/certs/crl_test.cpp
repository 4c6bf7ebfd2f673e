// Which CRLs count, of what Vault's servers answer one after the other.
#include "certs/crl.hpp"

#include <ctime>

#include "certs/x509.hpp"
#include "tests/catch.hpp"
#include "tests/certs/issuer.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using bevmesh::test::issuer;

namespace {

wall_time now() {
    return wall_time(seconds(std::time(nullptr)));
}

std::vector<std::string> bundle_of(issuer const& ca) {
    return {ca.intermediate(), ca.root()};
}

}  // namespace

TEST_CASE("a CRL is read, and one of another CA is not taken for this one's") {
    issuer ca;
    issuer other;  // of the same names, with other keys
    auto const pem = ca.crl({"0abcd1", "ff"}, {-60, 600, 7});
    auto const read = read_crl(pem, ca.intermediate());
    REQUIRE(read.has_value());
    CHECK(read->issuer == "test intermediate");
    CHECK(read->number == 7);
    CHECK(read->revoked.size() == 2);
    CHECK(read->ends - read->made == seconds(660));
    CHECK(read_crl(pem, ca.root()).has_error());
    CHECK(read_crl(pem, other.intermediate()).has_error());
    CHECK(read_crl("no PEM", ca.root()).has_error());
    auto damaged = pem;
    damaged[pem.size() / 2] = damaged[pem.size() / 2] == 'A' ? 'B' : 'A';
    CHECK(read_crl(damaged, ca.intermediate()).has_error());
}

TEST_CASE("the newest CRL of each CA counts, whatever a server that lags behind says") {
    issuer ca;
    crl_view view;
    auto const first = ca.crl({}, {-60, 600, 1});
    auto const second = ca.crl({"abcd01"}, {-60, 600, 2});
    view.take(first + ca.root_crl({}), bundle_of(ca), now());
    CHECK_FALSE(view.lists("abcd01"));
    CHECK(view.problem(now()).empty());
    auto const before = view.text();
    view.take(ca.root_crl({}) + second, bundle_of(ca), now());
    CHECK(view.lists("abcd01"));
    CHECK(view.text() != before);
    auto const after = view.text();
    view.take(first, bundle_of(ca), now());
    CHECK(view.text() == after);
    // Nobody answers.
    view.take("", bundle_of(ca), now());
    CHECK(view.text() == after);
    CHECK(crl_hash(after) != crl_hash(before));
    CHECK(crl_hash("").empty());
}

TEST_CASE("a CRL of no CA of the bundle is left out, and goes with its CA") {
    issuer ca;
    issuer other("other");
    crl_view view;
    view.take(other.crl({"abcd01"}) + ca.crl({}) + ca.root_crl({}), bundle_of(ca), now());
    CHECK_FALSE(view.lists("abcd01"));
    CHECK(view.all().size() == 2);
    auto both = bundle_of(ca);
    for (auto const& each : bundle_of(other))
        both.push_back(each);
    view.take(other.crl({"abcd01"}), both, now());
    CHECK(view.lists("abcd01"));
    CHECK(view.problem(now()) == "there is no CRL of other root");
    view.take("", bundle_of(ca), now());
    CHECK_FALSE(view.lists("abcd01"));
    CHECK(view.problem(now()).empty());
}

TEST_CASE("a CRL that would cut good clients off is not for a server that checks whole chains") {
    issuer ca;
    crl_view view;
    CHECK(view.problem(now()) == "there is no CRL");
    view.take(ca.crl({"abcd01"}), bundle_of(ca), now());
    CHECK(view.problem(now()) == "there is no CRL of test root");
    view.take(ca.root_crl({}), bundle_of(ca), now());
    CHECK(view.problem(now()).empty());
    // It ends, and goes on to count for who can take it so.
    CHECK(view.problem(now() + seconds(3'700)).ends_with("has ended"));
    CHECK(view.lists("abcd01"));
    // Of a clock that is ahead: waited for.
    view.take(ca.crl({}, {30, 600, 2}), bundle_of(ca), now());
    CHECK(view.lists("abcd01"));
    view.take(ca.crl({}, {30, 600, 2}), bundle_of(ca), now() + seconds(31));
    CHECK_FALSE(view.lists("abcd01"));
}
