// Answers as recorded from OpenBao 2.7.2, and what we send it.
#include <nlohmann/json.hpp>

#include "mesh/vault/answer.hpp"
#include "mesh/vault/codec.hpp"
#include "mesh/vault/kept.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::vault;
using bevmesh::testing::recorded;

namespace {

std::string document(std::string const& name) {
    return recorded("openbao-2.7/" + name);
}

verdict judged(unsigned status, std::string const& name) {
    return judge(status, "", document(name));
}

}  // namespace

TEST_CASE("a signed certificate comes with its chain, serial and date") {
    auto const s = decode_signed(document("sign.json")).value();
    CHECK(s.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    CHECK(s.chain.size() == 2);
    CHECK(s.chain.front() == s.issuing_ca);
    CHECK(s.serial.find(':') == 2);
    CHECK(s.expires > wall_time(seconds(1'795'000'000)));
    CHECK(s.warnings.empty());
}

TEST_CASE("a life that the role shortened is told in a warning") {
    auto const s = decode_signed(document("sign-truncated.json")).value();
    REQUIRE(s.warnings.size() == 1);
    CHECK(s.warnings.front().find("is longer than permitted maxTTL") != std::string::npos);
}

TEST_CASE("a signing request names everything that the CSR must not decide") {
    sign_request wanted;
    wanted.csr = "CSR";
    wanted.common_name = "redis.service.consul";
    wanted.alt_names = {"thanos", "cache-primary.service.consul"};
    wanted.ip_sans = {"100.122.12.54"};
    wanted.uri_sans = {"spiffe://bev/node/thanos/service/redis"};
    wanted.ttl = seconds(3'600);
    auto const sent = nlohmann::json::parse(encode_sign(wanted));
    CHECK(sent == nlohmann::json{{"csr", "CSR"},
                                 {"format", "pem"},
                                 {"common_name", "redis.service.consul"},
                                 {"alt_names", "thanos,cache-primary.service.consul"},
                                 {"ip_sans", "100.122.12.54"},
                                 {"uri_sans", "spiffe://bev/node/thanos/service/redis"},
                                 {"ttl", "3600s"}});
    CHECK(nlohmann::json::parse(encode_sign({})).contains("ttl") == false);
}

TEST_CASE("issuers, the default one, a role") {
    auto const all = decode_issuers(document("issuers.json")).value();
    CHECK(all.size() == 2);
    auto const id = decode_default_issuer(document("default-issuer.json")).value();
    CHECK_FALSE(id.empty());
    CHECK(decode_default_issuer(document("default-issuer-none.json")).value().empty());
    auto const issuer = decode_issuer(document("issuer.json")).value();
    CHECK(issuer.id == id);
    CHECK_FALSE(issuer.key_id.empty());
    CHECK(issuer.ca_chain.size() == 2);
    CHECK(issuer.usage.size() == 4);
    CHECK(decode_imported(document("set-signed.json")).value() == id);
    auto const role = decode_role(document("role.json")).value();
    CHECK(role.no_store);
    CHECK(role.key_type == "ec");
    CHECK(role.max_ttl == seconds(86'400));
    CHECK(role.not_before_duration == seconds(30));
    CHECK(role.allowed_uri_sans == std::vector<std::string>{"spiffe://bev/node/thanos/service/*"});
}

TEST_CASE("a secret's values are secrets, also those that are no text") {
    auto const s = decode_kv(document("kv.json")).value();
    CHECK(s.data.at("redis").reveal() == "pw");
    CHECK(s.data.at("port").reveal() == "5432");
    CHECK(s.version == 1);
    CHECK(decode_kv(document("kv-deleted.json")).has_error());
}

TEST_CASE("the state of a server is in status and document together") {
    CHECK(decode_health(200, document("health-active.json"))->state == node_state::active);
    CHECK(decode_health(429, document("health-standby.json"))->state == node_state::standby);
    CHECK(decode_health(503, document("health-sealed.json"))->state == node_state::sealed);
    CHECK(decode_health(501, document("health-uninitialized.json"))->state ==
          node_state::uninitialized);
    CHECK(decode_health(473, document("health-standby.json"))->state ==
          node_state::performance_standby);
    CHECK(decode_health(472, document("health-standby.json"))->state ==
          node_state::disaster_secondary);
    auto const h = decode_health(429, document("health-standby.json")).value();
    CHECK(h.version == "2.7.2");
    CHECK(h.server_time == wall_time(seconds(1'795'762'028)));
}

TEST_CASE("tokens and secret IDs") {
    auto const t = decode_token(document("login.json")).value();
    CHECK(t.token.reveal().starts_with("s."));
    CHECK(t.lease == seconds(86'400));
    CHECK(decode_token(document("renew-self.json"))->token == t.token);
    auto const facts = decode_token_facts(document("lookup-self.json")).value();
    CHECK(facts.lease == seconds(86'400));
    CHECK(facts.left > seconds(86'000));
    CHECK(decode_token_facts(document("lookup-self-root.json"))->left == seconds(0));
    CHECK(decode_secret_id(document("secret-id.json"))->lease == seconds(2'592'000));
    CHECK_FALSE(decode_secret_id(document("unwrap.json"))->secret_id.empty());
    auto const known = decode_secret_id_facts(document("secret-id-lookup.json")).value();
    CHECK(known.uses == 0);
    REQUIRE(known.expires);
    CHECK(*known.expires > wall_time(seconds(1'798'000'000)));
    CHECK(decode_creation_path(document("wrapping-lookup.json")).value() ==
          "auth/approle/role/bevmesh-thanos/secret-id");
    CHECK_FALSE(decode_wrapped(document("wrapped.json"))->empty());
}

TEST_CASE("a document of another kind is a bad answer and no crash") {
    for (auto const* const text : {"", "[]", "null", "{}", "{\"data\":[]}", "{\"auth\":1}"}) {
        INFO(text);
        CHECK(decode_signed(text).error().code == errc::bad_answer);
        CHECK(decode_token(text).error().code == errc::bad_answer);
        CHECK(decode_kv(text).error().code == errc::bad_answer);
        CHECK(decode_issuers(text).has_error());
    }
    CHECK(decode_secret_id_facts(R"({"data":{"expiration_time":"20x6-12-27T06:46:05Z"}})")
              .error()
              .code == errc::bad_answer);
}

TEST_CASE("what an answer means, by OpenBao's status and words") {
    CHECK(judged(200, "sign.json").what == meaning::good);
    CHECK(judged(400, "sign-refused.json").what == meaning::wrong);
    CHECK(judged(400, "login-refused.json").what == meaning::wrong);
    CHECK(judged(403, "bad-token.json").what == meaning::unknown_token);
    CHECK(judged(403, "no-policy.json").what == meaning::denied);
    CHECK(judged(403, "no-policy.json").reason == "1 error occurred: * permission denied");
    CHECK(judged(404, "role-none.json").what == meaning::absent);
    CHECK(judged(404, "kv-deleted.json").what == meaning::absent);
    CHECK(judged(503, "sealed.json").what == meaning::elsewhere);
    CHECK(judged(503, "sealed.json").reason == "Vault is sealed");
    // A server that failed, and one that says in these words that a thing is not there.
    CHECK(judge(500, "", "{}").what == meaning::elsewhere);
    CHECK(judged(500, "sign-no-issuer.json").what == meaning::absent);
    CHECK(judged(500, "crl-none.json").what == meaning::absent);
    // A KV 2 engine that was just mounted.
    CHECK(judge(400, "",
                R"({"errors":["Upgrading from non-versioned to versioned data. This backend will )"
                R"(be unavailable for a brief period and will resume service shortly."]})")
              .what == meaning::elsewhere);
    CHECK(judge(400, "",
                R"({"errors":["Waiting for the primary to upgrade from non-versioned to versioned )"
                R"(data. This backend will be unavailable for a brief period and will resume )"
                R"(service when the primary is finished."]})")
              .what == meaning::elsewhere);
    for (unsigned const status : {412U, 429U, 472U, 473U, 501U, 502U})
        CHECK(judge(status, "", "").what == meaning::elsewhere);
}

TEST_CASE("the leader that a standby points at is where its redirect goes") {
    auto const v = judge(307, "https://100.122.12.54:8200/v1/auth/approle/login", "");
    CHECK(v.what == meaning::redirect);
    CHECK(origin_of(v.location) == "https://100.122.12.54:8200");
    CHECK(origin_of("http://127.0.0.3:18300/v1/x") == "127.0.0.3:18300");
    CHECK(origin_of("nonsense").empty());
}

TEST_CASE("what a session keeps is read back whole") {
    session_kept k;
    k.token = secret("t");
    k.secret_id = secret("s");
    k.retired = secret("r");
    CHECK(decode_kept(encode_kept(k).reveal()).value() == k);
    CHECK(decode_kept("{}").value() == session_kept());
    CHECK(decode_kept("x").has_error());
}
