// Who does not get in at a listener, and whom a client does not trust, because it was revoked.
#include "mesh/net/mutual_tls.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/mutual_tls_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;

TEST_CASE("a revoked peer is refused on both sides, with a reason that both can read") {
    authority ca;
    auto const own = ca.issue("URI:" + uri_of("thanos"));
    auto const stolen = ca.issue("URI:" + uri_of("oracle1"));
    auto const good = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    door thanos(own, ca);
    CHECK(outcome(thanos, load(stolen, ca).context) == "200 /hello from oracle1");
    auto const crl = ca.revoke({stolen});
    thanos.tls->context = load(own, ca, crl).context;
    CHECK_THAT(outcome(thanos, load(stolen, ca).context),
               Catch::Contains("our certificate was refused") && Catch::Contains("revoked"));
    thanos.wait_for_complaint();
    REQUIRE(thanos.complaints.size() == 1);
    CHECK_THAT(thanos.complaints[0],
               Catch::Contains("from 127.0.0.1") && Catch::Contains("certificate revoked"));
    CHECK(openssl_outcome(thanos, as_client(stolen)) == "refused");
    CHECK(outcome(thanos, good.context) == "200 /hello from oracle1");

    // The one who is called is looked at as well.
    door impostor(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const shown = ca.issue("URI:" + uri_of("thanos"));
    impostor.tls->context = load(shown, ca).context;
    auto const careful = load(ca.issue("URI:" + uri_of("oracle1")), ca, ca.revoke({shown}));
    CHECK_THAT(outcome(impostor, careful.context), Catch::Contains("certificate revoked"));
    CHECK(outcome(thanos, careful.context) == "200 /hello from oracle1");
}

TEST_CASE("a CRL counts for its own CA alone, and goes on to count when it has ended") {
    authority ca;
    authority stranger;  // of the same name, with the same serials
    auto const own = ca.issue("URI:" + uri_of("thanos"));
    auto const peer = ca.issue("URI:" + uri_of("oracle1"));
    static_cast<void>(stranger.issue("URI:" + uri_of("thanos")));
    auto const same_serial = stranger.issue("URI:" + uri_of("oracle1"));
    door thanos(own, ca);
    thanos.tls->context = load(own, ca, stranger.revoke({same_serial})).context;
    CHECK(outcome(thanos, load(peer, ca).context) == "200 /hello from oracle1");
    CHECK(thanos.complaints.empty());
    thanos.tls->context = load(own, ca, ca.revoke({peer}, 1'800)).context;
    CHECK_THAT(outcome(thanos, load(peer, ca).context), Catch::Contains("revoked"));
    auto const other = ca.issue("URI:" + uri_of("oracle1"));
    CHECK(outcome(thanos, load(other, ca).context) == "200 /hello from oracle1");
}

TEST_CASE("an intermediate that its root revoked takes its certificates with it") {
    authority root;
    authority ca("intermediate", root);
    auto const own = root.issue("URI:" + uri_of("thanos"));
    auto const peer = load(ca.issue("URI:" + uri_of("oracle1")), root);
    door thanos(own, root);
    // The root's CRL says nothing of the intermediate's certificates.
    thanos.tls->context = load(own, root, root.revoke({})).context;
    CHECK(outcome(thanos, peer.context) == "200 /hello from oracle1");
    thanos.tls->context = load(own, root, root.revoke({ca.itself()})).context;
    CHECK_THAT(outcome(thanos, peer.context), Catch::Contains("revoked"));
    auto const direct = load(root.issue("URI:" + uri_of("oracle1")), root);
    CHECK(outcome(thanos, direct.context) == "200 /hello from oracle1");
}

TEST_CASE("a file of CRLs that is none is refused, one that is not there revokes nobody") {
    authority ca;
    auto const own = ca.issue("URI:" + uri_of("thanos"));
    auto const made =
        net::load_mutual_tls({own.cert_file, own.key_file, ca.ca_file(), own.cert_file});
    REQUIRE(made.has_error());
    CHECK(made.error().doing == "TLS CRL " + own.cert_file + ": expected PEM CRLs");
    CHECK(net::load_mutual_tls({own.cert_file, own.key_file, ca.ca_file(), "/nonexistent/crl.pem"})
              .has_value());
    // That we are revoked is for others to say: until we have another one, we know who else is.
    CHECK(net::load_mutual_tls({own.cert_file, own.key_file, ca.ca_file(), ca.revoke({own})})
              .has_value());
}
