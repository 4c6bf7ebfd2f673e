// Who gets in at a listener that asks for certificates, tried with openssl's own client and ours.
#include "mesh/net/mutual_tls.hpp"

#include <filesystem>

#include "tests/catch.hpp"
#include "tests/mesh/mutual_tls_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

TEST_CASE("nodes of the mesh know each other by certificate") {
    authority ca;
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const oracle1 = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK(oracle1.uris == std::vector<std::string>{uri_of("oracle1")});
    CHECK(outcome(thanos, oracle1.context) == "200 /hello from oracle1");
    CHECK(openssl_outcome(thanos, as_client(ca.issue("URI:" + uri_of("oracle1")))) == "answered");
    CHECK(thanos.complaints.empty());
}

TEST_CASE("a client that is no node of the mesh is refused in the handshake and told of") {
    authority ca;
    authority stranger("another mesh");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const uri = "URI:" + uri_of("oracle1");
    auto const refused = [&](words const& arguments, std::string const& why) {
        thanos.complaints.clear();
        INFO(why);
        CHECK(openssl_outcome(thanos, arguments) == "refused");
        thanos.wait_for_complaint();
        REQUIRE(thanos.complaints.size() == 1);
        CHECK_THAT(thanos.complaints[0], Catch::Contains(why));
        CHECK_THAT(thanos.complaints[0], Catch::Contains("from 127.0.0.1"));
    };
    refused({}, "peer did not return a certificate");
    refused(as_client(stranger.issue(uri)), "unable to get local issuer certificate");
    refused(as_client(ca.issue(uri, 1'800)), "certificate has expired");
    refused(as_client(ca.issue("URI:spiffe://other/node/oracle1/service/bevmesh")), "no node");
    refused(as_client(ca.issue("URI:spiffe://bev/node/oracle1/service/redis")), "no node");
    refused(as_client(ca.issue("DNS:oracle1")), "no node");
    refused(as_client(ca.issue(uri), {"-tls1_2"}), "unsupported protocol");
    // Below its own level 0 OpenSSL's client would not even try.
    refused(as_client(ca.issue(uri), {"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"}),
            "unsupported protocol");
}

TEST_CASE("certificates of an intermediate serve those who have the root alone") {
    authority root;
    authority ca("intermediate", root);
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const uri = "URI:" + uri_of("oracle1");
    CHECK(outcome(thanos, load(ca.issue(uri), root).context) == "200 /hello from oracle1");
    CHECK(outcome(thanos, load(root.issue(uri), root).context) == "200 /hello from oracle1");
    CHECK(thanos.complaints.empty());
}

TEST_CASE("our client says why it was refused, and whom it met instead of the one that it meant") {
    authority ca;
    authority stranger("another mesh");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const me = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK_THAT(outcome(thanos, me.context, "starlord"),
               Catch::Contains("the certificate is for " + uri_of("thanos") + ", expected " +
                               uri_of("starlord") + " (unreachable)"));
    auto const unknown = load(ca.issue("URI:" + uri_of("elsewhere")), ca);
    CHECK_THAT(outcome(thanos, unknown.context), Catch::Contains("our certificate was refused"));
    auto const other = load(stranger.issue("URI:" + uri_of("oracle1")), stranger);
    CHECK_THAT(outcome(thanos, other.context), Catch::Contains("(unreachable)"));
}

TEST_CASE("a reload changes whom new connections meet; the open ones live on") {
    authority ca;
    authority next("next authority");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const before =
        client_as(thanos, load(ca.issue("URI:" + uri_of("oracle1")), ca).context, "thanos");
    std::string got;
    run(thanos.loop, ask(*before, "/first", got));
    CHECK(got == "200 /first from oracle1");
    thanos.tls->context = load(next.issue("URI:" + uri_of("thanos")), next).context;
    run(thanos.loop, ask(*before, "/second", got));
    CHECK(got == "200 /second from oracle1");
    auto const fresh = load(next.issue("URI:" + uri_of("oracle1")), next);
    CHECK(outcome(thanos, fresh.context) == "200 /hello from oracle1");
    auto const stale = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK_THAT(outcome(thanos, stale.context), Catch::Contains("(unreachable)"));
}

TEST_CASE("a node with two certificates shows each peer the one of a CA that it trusts") {
    authority old("old authority");
    authority root("new authority");
    authority next("intermediate", root);
    auto const either = [&](std::string const& node) {
        auto made = net::show_either(load(next.issue("URI:" + uri_of(node)), next),
                                     load(old.issue("URI:" + uri_of(node)), old));
        REQUIRE(made.has_value());
        return made->context;
    };
    auto const before = load(old.issue("URI:" + uri_of("oracle1")), old);
    auto const after = load(next.issue("URI:" + uri_of("oracle1")), next);
    std::string const greeted = "200 /hello from oracle1";

    door thanos(old.issue("URI:" + uri_of("thanos")), old);
    thanos.tls->context = either("thanos");
    CHECK(outcome(thanos, before.context) == greeted);
    CHECK(outcome(thanos, after.context) == greeted);
    CHECK(outcome(thanos, either("oracle1")) == greeted);
    // openssl's client shows what it has and says of no CA that it trusts it.
    CHECK(openssl_outcome(thanos, as_client(old.issue("URI:" + uri_of("oracle1")))) == "answered");

    door still_before(old.issue("URI:" + uri_of("thanos")), old);
    CHECK(outcome(still_before, either("oracle1")) == greeted);
    CHECK_THAT(outcome(still_before, after.context), Catch::Contains("(unreachable)"));
    door already_after(next.issue("URI:" + uri_of("thanos")), next);
    CHECK(outcome(already_after, either("oracle1")) == greeted);
    CHECK_THAT(outcome(already_after, before.context), Catch::Contains("(unreachable)"));
    CHECK(thanos.complaints.empty());
}

TEST_CASE("silent strangers are let go at the deadline and keep no node out") {
    authority ca;
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca, 4, milliseconds(400));
    std::vector<tcp::socket> strangers;
    for (int i = 0; i < 6; ++i) {
        strangers.emplace_back(thanos.loop);
        strangers.back().connect({asio::ip::address_v4::loopback(), thanos.server->port()});
    }
    auto const me = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    auto const client = client_as(thanos, me.context, "thanos");
    std::string got;
    auto const end = std::chrono::steady_clock::now() + seconds(10);
    while (!got.starts_with("200") && std::chrono::steady_clock::now() < end)
        run(thanos.loop, ask(*client, "/hello", got));
    CHECK(got == "200 /hello from oracle1");
    REQUIRE_FALSE(thanos.complaints.empty());
    CHECK(thanos.complaints[0].find("no handshake within 400ms") != std::string::npos);
}

TEST_CASE("files that cannot serve are refused with their name and what was expected") {
    authority ca;
    authority stranger("another mesh");
    auto const uri = "URI:" + uri_of("thanos");
    auto const good = ca.issue(uri);
    auto const refusal = [&](std::string cert, std::string key, std::string ca_file) {
        auto const made =
            net::load_mutual_tls({std::move(cert), std::move(key), std::move(ca_file), {}});
        REQUIRE(made.has_error());
        return made.error().doing;
    };
    CHECK(refusal("/nonexistent/a.pem", good.key_file, ca.ca_file()) ==
          "TLS certificate /nonexistent/a.pem: cannot be read: No such file or directory");
    CHECK(refusal(good.cert_file, ca.issue(uri).key_file, ca.ca_file())
              .find("does not fit the certificate " + good.cert_file) != std::string::npos);
    CHECK(refusal(good.key_file, good.key_file, ca.ca_file()).find("expected a PEM certificate") !=
          std::string::npos);
    CHECK(refusal(good.cert_file, good.cert_file, ca.ca_file())
              .find(good.cert_file + ": is open to others") != std::string::npos);
    CHECK(refusal(good.cert_file, good.key_file, good.key_file).find("expected PEM certificates") !=
          std::string::npos);
    CHECK(
        refusal(good.cert_file, good.key_file, stranger.ca_file()).find("expected one of the CA") !=
        std::string::npos);
    auto const old = ca.issue(uri, 1'800);
    CHECK_THAT(refusal(old.cert_file, old.key_file, ca.ca_file()),
               Catch::Contains(old.cert_file + ": expired at 20"));
    std::filesystem::permissions(good.key_file, std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    CHECK(refusal(good.cert_file, good.key_file, ca.ca_file()) ==
          "TLS key " + good.key_file +
              ": is open to others than its owner; expected mode 0600 or less");
}
