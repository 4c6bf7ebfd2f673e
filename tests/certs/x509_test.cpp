#include "certs/x509.hpp"

#include <ctime>

#include <openssl/pkcs12.h>

#include "tests/catch.hpp"
#include "tests/certs/issuer.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using bevmesh::test::issue_options;
using bevmesh::test::issuer;

namespace {

subject const redis{"redis.service.consul",
                    {"redis.service.consul", "redis.service.bev.consul", "thanos"},
                    {"100.122.12.54"},
                    {"spiffe://bev/node/thanos/service/redis"}};

wall_time now() {
    return wall_time(seconds(std::time(nullptr)));
}

std::string why_refused(issue_options how, subject const& wanted = redis, wall_time at = now()) {
    auto const key = *private_key::make();
    issuer by;
    auto const got = by.sign(*key.request(redis), std::move(how));
    auto const checked = check(got, key, wanted, seconds(3'600), at);
    if (checked.has_value()) return {};
    auto const& text = checked.error().doing;
    return text.substr(text.find(": it ") + 2);
}

}  // namespace

TEST_CASE("a request made here is granted and found good") {
    auto const key = *private_key::make();
    issuer by;
    auto const got = by.sign(*key.request(redis));
    auto const checked = check(got, key, redis, seconds(3'600), now());
    REQUIRE(checked.has_value());
    CHECK(checked->serial == "abcd01");
    CHECK(checked->not_after - checked->not_before == seconds(3'630));
    CHECK(read_leaf(got.certificate)->serial == "abcd01");
    CHECK(checked->issuer == read_leaf(got.chain.at(0))->serial);
    CHECK(checked->trusted == *bundle_hash(got.trusted));
}

TEST_CASE("a key and a chain come back from their files") {
    auto const key = *private_key::make();
    auto const again = private_key::read(key.pkcs8());
    REQUIRE(again.has_value());
    CHECK(again->traditional() == key.traditional());
    CHECK(private_key::read(secret("no key")).has_error());
    issuer by;
    auto const got = by.sign(*key.request(redis));
    auto const parts = split_pem("before\n" + got.certificate + "between" + got.chain.at(0));
    REQUIRE(parts.size() == 2);
    CHECK(read_leaf(parts.at(1))->serial == read_leaf(got.chain.at(0))->serial);
    CHECK(common_name_of(parts.at(0)) == "redis.service.consul");
    CHECK(split_pem("-----BEGIN CERTIFICATE-----").empty());
}

TEST_CASE("a granted certificate that is not what was asked for is refused before it is written") {
    CHECK(why_refused({}) == "");
    issue_options how;
    how.keep_names = false;
    CHECK(why_refused(how) == "it has not the name redis.service.consul");
    how = {};
    how.uses = "serverAuth";
    CHECK(why_refused(how) == "it is not for servers and clients both");
    how.uses = "";
    CHECK(why_refused(how) == "it is not for servers and clients both");
    how = {};
    how.life = 600;
    CHECK(why_refused(how).find("less than half of the 3600s") != std::string::npos);
    how = {};
    how.backdated = -60;
    CHECK(why_refused(how) == "it is not valid yet: is this node's clock right?");
    auto other = redis;
    other.uris = {"spiffe://bev/node/oracle1/service/redis"};
    CHECK(why_refused({}, other) == "it has not the name spiffe://bev/node/oracle1/service/redis");
    other = redis;
    other.ips = {"100.96.197.84"};
    CHECK(why_refused({}, other) == "it has not the name 100.96.197.84");
    other = redis;
    other.common_name = "postgres";
    CHECK(why_refused({}, other) == "it has not the common name postgres");
}

TEST_CASE("a certificate of another key, or of a CA that peers do not trust, is refused") {
    auto const key = *private_key::make();
    auto const other = *private_key::make();
    issuer by;
    issuer stranger("stranger");
    auto got = by.sign(*key.request(redis));
    CHECK(check(got, other, redis, seconds(3'600), now()).has_error());
    got.trusted = {stranger.root()};
    CHECK(check(got, key, redis, seconds(3'600), now()).has_error());
    got.trusted.push_back(by.root());
    CHECK(check(got, key, redis, seconds(3'600), now()).has_value());
    got.chain.clear();
    CHECK(check(got, key, redis, seconds(3'600), now()).has_error());
    CHECK(check({"no PEM", {}, {}}, key, redis, seconds(3'600), now()).has_error());
}

TEST_CASE("a name that would begin another is no name") {
    auto const key = *private_key::make();
    CHECK(key.request({"a", {"a,DNS:b"}, {}, {}}).has_error());
    CHECK(key.request({"a", {""}, {}, {}}).has_error());
    CHECK(key.request({"a", {}, {"not an address"}, {}}).has_error());
    CHECK(key.request({"a", {}, {}, {}}).has_value());
}

TEST_CASE("a key is written as programs read it") {
    auto const key = *private_key::make();
    CHECK(key.pkcs8().reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    CHECK(key.traditional().reveal().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    issuer by;
    auto const got = by.sign(*key.request(redis));
    auto const bag = key.pkcs12(got.certificate, got.chain, secret("let me in"));
    REQUIRE(bag.has_value());
    auto const bytes = bag->reveal();
    auto const* data = reinterpret_cast<unsigned char const*>(bytes.data());
    auto* const read = d2i_PKCS12(nullptr, &data, static_cast<long>(bytes.size()));
    REQUIRE(read != nullptr);
    CHECK(PKCS12_verify_mac(read, "let me in", -1) == 1);
    CHECK(PKCS12_verify_mac(read, "let me", -1) == 0);
    PKCS12_free(read);
}

TEST_CASE("bundles that trust the same have the same hash, whatever their order") {
    issuer a("a");
    issuer b("b");
    auto const both = *bundle_hash({a.root(), b.root()});
    CHECK(both.size() == 64);
    CHECK(both == *bundle_hash({b.root(), a.root(), a.root()}));
    CHECK(both != *bundle_hash({a.root()}));
    CHECK(bundle_hash({"no PEM"}).has_error());
}
