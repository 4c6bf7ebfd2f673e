// What is wrong with names, told from what was answered.
#include "registrar/dns/findings.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar::dns;

namespace {

std::string const own = "consul.service.consul";
reply const none{outcome::empty, {}};
reply const nobody{outcome::missing, {}};
reply const silence{outcome::silent, {}};
reply const address{outcome::found, {"10.0.0.1"}};
reply const ports{outcome::found, {"a.addr.consul:8300"}};

server_report server(std::string const& at) {
    return {at, {{own, address, none, ports, address}}, nobody};
}

view look(std::string const& where, network_kind kind, std::vector<server_report> servers) {
    view v;
    v.where = where;
    v.kind = kind;
    v.report = view_report{std::move(servers), {{own, address}}, nobody};
    return v;
}

observations healthy() {
    observations seen;
    seen.consul.dns_address = "127.0.0.1:8600";
    seen.consul.max_stale = "1s";
    seen.host.listeners = {{"127.0.0.1", 3, "dnsmasq", program::dnsmasq}};
    seen.agent = server("127.0.0.1:8600");
    seen.views = {look("host", network_kind::host, {server("127.0.0.1")})};
    seen.views[0].is_host = true;
    return seen;
}

std::string codes(observations const& seen) {
    std::string all;
    for (auto const& f : judge(seen)) {
        CHECK_FALSE(f.text.empty());
        CHECK_FALSE(f.remedy.empty());
        all += (all.empty() ? "" : " ") + f.code;
    }
    return all;
}

}  // namespace

TEST_CASE("a host on which names resolve has nothing to hear") {
    CHECK(codes(healthy()).empty());
}

TEST_CASE("Consul that is silent, or knows nobody, is told apart") {
    auto seen = healthy();
    seen.agent.names[0].a = silence;
    CHECK(codes(seen).starts_with("DNS101"));
    seen.agent.names[0].a = nobody;
    CHECK(codes(seen).starts_with("DNS102"));
    CHECK(judge(seen)[0].remedy.find("set-agent-token dns") != std::string::npos);
}

TEST_CASE("settings of Consul that lose instances, or keep dead ones, are warnings") {
    auto seen = healthy();
    seen.consul.allow_stale = true;
    seen.consul.max_stale = "87600h0m0s";
    seen.consul.enable_truncate = false;
    CHECK(codes(seen) == "DNS103 DNS104");
    CHECK_FALSE(is_degraded(judge(seen)));
    seen.consul.problem = "403";
    CHECK(codes(seen) == "DNS106");
}

TEST_CASE("the flaw decides the code: address, other family, TCP, names that nobody has") {
    auto const of = [](auto change) {
        auto seen = healthy();
        seen.views.push_back(look("bridge", network_kind::default_bridge, {server("8.8.8.8")}));
        change(seen.views[1].report->servers[0]);
        CHECK(is_degraded(judge(seen)));
        return codes(seen);
    };
    CHECK(of([](auto& s) { s.names[0].a = nobody; }) == "DNS301");
    CHECK(of([](auto& s) { s.names[0].a = {outcome::found, {"192.0.2.1"}}; }) == "DNS301");
    CHECK(of([](auto& s) { s.names[0].srv = none; }) == "DNS301");
    CHECK(of([](auto& s) { s.names[0].aaaa = nobody; }) == "DNS302");
    CHECK(of([](auto& s) { s.names[0].tcp = silence; }) == "DNS303");
    CHECK(of([](auto& s) { s.missing = address; }) == "DNS304");
}

TEST_CASE("a second server that does not know the mesh is a fault: musl may hear it first") {
    auto seen = healthy();
    seen.views[0].report->servers.push_back(server("10.0.0.9"));
    seen.views[0].report->servers[1].names[0].a = nobody;
    CHECK(codes(seen) == "DNS205");
}

TEST_CASE("libc that differs from its servers, and places where nobody can look") {
    auto seen = healthy();
    seen.views[0].report->libc[0].a = nobody;
    CHECK(codes(seen) == "DNS209");
    seen.views[0].report.reset();
    seen.views[0].problem = "it broke";
    CHECK(codes(seen) == "DNS208");
}

TEST_CASE("containers from before, interrupted runs and changed files are told") {
    auto seen = healthy();
    seen.stale = {{"old", {"8.8.8.8"}}};
    seen.journal = {true, false, {"/etc/x"}, true};
    CHECK(codes(seen) == "DNS306 DNS401 DNS404");
    seen.journal = {false, true, {}, false};
    CHECK(codes(seen) == "DNS306 DNS402");
}

TEST_CASE("a report comes back from its JSON as it was, and nothing else does") {
    auto const v = look("x", network_kind::host, {server("127.0.0.1"), server("::1")});
    auto const back = read_view(to_json(*v.report).dump());
    REQUIRE(back.has_value());
    CHECK(*back == *v.report);
    CHECK(read_view("{}").error().code == errc::bad_answer);
    CHECK(read_view("bevmesh: not found").error().code == errc::bad_answer);
}
