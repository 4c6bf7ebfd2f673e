// `bevmesh certs` as people see it, and what it takes for a rotation.
#include "mesh/cli/certs_view.hpp"

#include <nlohmann/json.hpp>

#include "mesh/cli/rollover_view.hpp"
#include "tests/catch.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

json certificate(std::string const& service, std::string const& node) {
    return {{"service", service},        {"node", node},       {"serial", "0a1b2c3d4e5f60718293"},
            {"state", "verified"},       {"verified", true},   {"trouble", ""},
            {"expires", "2026-11-28T…"}, {"renews", "at six"}, {"folder", "/etc/tls"}};
}

json answer() {
    return {{"certificates",
             {certificate("redis", "thanos"), certificate("redis", "oracle1"),
              certificate("nginx", "oracle1")}},
            {"not_answering", json::array()}};
}

}  // namespace

TEST_CASE("a list has a line a certificate, and below them what is wrong") {
    auto all = answer();
    CHECK_FALSE(certificates_are_degraded(all));
    all["certificates"][1]["trouble"] = "reload: refused";
    all["not_answering"] = {{{"node", "starlord"}, {"why", "no route"}}};
    auto const drawn = draw_certificates(all, page{});
    CHECK(drawn.find("redis    thanos   0a1b2c3d4e5f6071") != std::string::npos);
    CHECK(drawn.find("redis on oracle1: reload: refused\n") != std::string::npos);
    CHECK(drawn.find("starlord does not answer: no route\n") != std::string::npos);
    CHECK(certificates_are_degraded(all));
}

TEST_CASE("a filter takes services and a node, and what it does not find is said") {
    auto const of_redis = select_certificates(answer(), {{"redis"}, ""});
    CHECK(of_redis["certificates"].size() == 2);
    auto all = answer();
    all["not_answering"] = {{{"node", "starlord"}, {"why", "no route"}}};
    auto const here = select_certificates(all, {{}, "oracle1"});
    CHECK_FALSE(certificates_are_degraded(here));
    CHECK(here["certificates"].size() == 2);
    CHECK(all_are_there(here, {{}, "oracle1"}).has_value());
    certs_filter const none{{"redis", "kafka"}, ""};
    auto const missing = all_are_there(select_certificates(answer(), none), none);
    REQUIRE(missing.has_error());
    CHECK(missing.error().doing == "no node keeps a certificate of kafka");
}

TEST_CASE("settled is what was seen at the wire, with nothing on its way and nothing wrong") {
    auto one = certificate("redis", "thanos");
    CHECK(is_settled(one));
    one["state"] = "installed";
    CHECK_FALSE(is_settled(one));
    CHECK_FALSE(is_settled(json()));
}

TEST_CASE("trust is good where every service trusts what its node sees, and all see the same") {
    auto all = answer();
    json bundle{{"hash", "ab"}, {"authorities", {{{"name", "bev root 1"}, {"serial", "0c"}}}}};
    for (auto const* node : {"thanos", "oracle1"}) {
        bundle["node"] = node;
        all["bundles"].push_back(bundle);
    }
    for (auto& one : all["certificates"])
        one["trusted"] = "ab";
    CHECK_FALSE(trust_is_degraded(trust_of(all)));
    auto const drawn = draw_trust(trust_of(all), page{});
    CHECK(drawn.find("thanos   ab      bev root 1  0c") != std::string::npos);
    CHECK(drawn.find("redis    thanos   ab      yes      settled") != std::string::npos);

    auto with_idle = all;
    with_idle["bundles"].push_back({{"node", "starlord"}, {"hash", ""}, {"trouble", ""}});
    CHECK_FALSE(trust_is_degraded(trust_of(with_idle)));

    auto old = all;
    old["certificates"][0]["trusted"] = "aa";
    CHECK(trust_is_degraded(trust_of(old)));
    CHECK(draw_trust(trust_of(old), page{}).find("aa      no") != std::string::npos);
    auto apart = all;
    apart["bundles"][1]["hash"] = "aa";
    CHECK(trust_is_degraded(trust_of(apart)));
    auto blind = all;
    blind["bundles"][0] = {{"node", "thanos"}, {"hash", ""}, {"trouble", "sealed"}};
    CHECK(trust_is_degraded(trust_of(blind)));
    CHECK(draw_trust(trust_of(blind), page{}).find("thanos cannot see the CAs in Vault: sealed") !=
          std::string::npos);
    all["not_answering"] = {{{"node", "starlord"}, {"why", "no route"}}};
    CHECK(trust_is_degraded(trust_of(all)));
    CHECK_FALSE(trust_is_degraded(trust_of(select_certificates(all, {{}, "thanos"}))));
}

TEST_CASE("the CRLs of each node are shown, and what is wrong with them") {
    auto all = answer();
    all["bundles"] = {
        {{"node", "thanos"},
         {"hash", "ab"},
         {"crls", {{{"issuer", "bev root"}, {"number", 7}, {"revoked", 1}, {"ends", "soon"}}}},
         {"crl_trouble", "the CRL of bev root has ended"}}};
    auto const drawn = draw_trust(trust_of(all), page{});
    CHECK(drawn.find("thanos  bev root  7       1        soon\n") != std::string::npos);
    CHECK(drawn.find("thanos: the CRL of bev root has ended\n") != std::string::npos);
}

TEST_CASE("what is revoked is named by its service or by how its serial begins") {
    auto all = answer();
    all["certificates"][0]["serial"] = "ffee1b2c3d4e";
    CHECK((*select_revoked(all, "redis", ""))["certificates"].size() == 2);
    CHECK((*select_revoked(all, "redis", "thanos"))["certificates"].size() == 1);
    CHECK((*select_revoked(all, "FF:EE:1b:2c", ""))["certificates"].size() == 1);
    // Too short to be meant for one.
    CHECK(select_revoked(all, "ffee", "").error().code == errc::not_found);
    CHECK(select_revoked(all, "kafka", "").has_error());
}

TEST_CASE("a rollover reads the daemons' answer, and shows CAs by name") {
    auto all = answer();
    all["certificates"][0]["issuer"] = "0d";
    all["certificates"][0]["trusted"] = "ab";
    all["certificates"][1]["trouble"] = "reload: refused";
    all["not_answering"] = {{{"node", "starlord"}, {"why", "no route"}}};
    certs::rollover_sight seen;
    seen.root_mount = "pki_root";
    seen.bundle = "ab";
    seen.members = members_of(all);
    seen.silent = silent_of(all);
    seen.authorities = {{"pki_root", "r", "root-1", "0c", "0c", {}, true, true},
                        {"pki", "c", "", "0c", "0c"},
                        {"pki", "s", "services-1", "0d", "0c", {}, true, true}};
    REQUIRE(seen.members.size() == 3);
    CHECK(seen.members.at(0).settled);
    CHECK_FALSE(seen.members.at(1).settled);
    CHECK(seen.silent == std::vector<std::string>{"starlord"});
    auto const drawn = draw_rollover(seen, page{});
    CHECK(drawn.find("services-1  pki       0d      signs") != std::string::npos);
    CHECK(drawn.find("redis    thanos   services-1  yes         yes") != std::string::npos);
    auto const next = next_move(seen, certs::rollover_way::forward, false);
    auto const told = to_json(seen, next);
    CHECK(told["next"] == "done");
    CHECK(told["authorities"][2]["signs"] == true);
    CHECK(told["certificates"][0]["issuer"] == "services-1");
    CHECK(told["not_answering"] == json{"starlord"});
}

}  // namespace bevmesh::cli
