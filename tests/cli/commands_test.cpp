// The commands against a daemon and a DNS server that say what the test wrote.
#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/cli/app_fixture.hpp"
#include "tests/cli/fake_daemon.hpp"
#include "tests/cli/fake_dns.hpp"

using namespace bevmesh::testing;
using nlohmann::json;
using words = std::vector<std::string>;

namespace {

char const* const status_ok =
    R"({"node": "thanos", "mesh": "bev", "domain": "consul", "state": "ok", "version": "0.1.0"})";
char const* const all_services = R"({
  "services": [
    {"name": "redis", "instances": [
      {"id": "redis", "node": "thanos", "address": "10.0.0.1", "port": 6379, "tags": [],
       "status": "passing",
       "checks": [{"name": "tcp", "status": "passing", "output": "connected"}]}]},
    {"name": "grafana", "instances": [
      {"id": "grafana", "node": "oracle1", "address": "10.0.0.2", "port": 3000,
       "tags": ["stand-in"], "status": "critical", "checks": []}]}],
  "local": [{"id": "redis", "name": "redis", "phase": "announced"}]})";
char const* const redis_resolved = R"({"name": "redis", "service": "redis", "tag": "",
  "instances": [{"id": "redis", "node": "thanos", "address": "10.0.0.1", "port": 6379,
                 "status": "passing"}]})";

struct node {
    node() {
        daemon.answer("GET /v1/status", status_ok);
        daemon.answer("GET /v1/services", all_services);
    }
    [[nodiscard]] ran run(std::string const& line, surroundings const& in = {}) const {
        return run_cli(line + " --socket " + daemon.socket(), in);
    }
    fake_daemon daemon;
};

struct node_with_dns : node {
    node_with_dns() {
        daemon.answer("GET /v1/resolve?name=redis", redis_resolved);
        dns.add_a("redis.service.consul", "10.0.0.1");
        dns.add_srv("redis.service.consul", 6379, "0a000001.addr.bev.consul");
        dns.add_a("0a000001.addr.bev.consul", "10.0.0.1");
    }
    [[nodiscard]] ran resolve(std::string const& rest) const {
        return run("resolve " + rest + " --server " + dns.address());
    }
    fake_dns dns;
};

}  // namespace

TEST_CASE("status shows the daemon, and its state is the exit status") {
    node n;
    auto const ok = n.run("status");
    CHECK(ok.status == 0);
    CHECK(ok.err.empty());
    CHECK(ok.out.starts_with("Node:       thanos, mesh bev\n"));
    n.daemon.answer("GET /v1/status", R"({"node": "thanos", "state": "degraded"})");
    CHECK(n.run("status").status == 3);
    CHECK(n.run("status --format json").status == 3);
    CHECK(json::parse(n.run("status --format json").out)["state"] == "degraded");
    CHECK(n.run("status --format yaml").out == "node: thanos\nstate: degraded\n");
}

TEST_CASE("colour is there when the terminal takes it, and --no-color takes it away") {
    node const n;
    surroundings terminal;
    terminal.colour = true;
    CHECK(n.run("status", terminal).out.find("\x1b[32mok") != std::string::npos);
    CHECK(n.run("status --no-color", terminal).out.find('\x1b') == std::string::npos);
    CHECK(n.run("status --format json", terminal).out.find('\x1b') == std::string::npos);
}

TEST_CASE("a daemon that is not there is a remote error with a way out") {
    auto const r = run_cli("status --socket /nonexistent/api.sock");
    CHECK(r.status == 2);
    CHECK(r.out.empty());
    CHECK(r.err.find("/nonexistent/api.sock") != std::string::npos);
    CHECK(r.err.find("is the daemon running on this node?") != std::string::npos);
    CHECK(run_cli("services --socket /nonexistent/api.sock").status == 2);
    CHECK(run_cli("services maint redis on --yes --socket /nonexistent/api.sock").status == 2);
}

TEST_CASE("each failure of the daemon has its exit status") {
    node n;
    auto const with = [&](unsigned status, std::string const& body) {
        n.daemon.answer("GET /v1/services", body, status);
        auto const r = n.run("services");
        CHECK(r.out.empty());
        CHECK(r.err.starts_with("bevmesh: "));
        return r.status;
    };
    CHECK(with(502, R"({"error": "Consul: 500", "code": "remote_error"})") == 2);
    CHECK(with(403, R"({"error": "Consul: 403", "code": "forbidden"})") == 2);
    CHECK(with(504, R"({"error": "Consul is slow", "code": "timed_out"})") == 4);
    CHECK(with(500, "oops") == 2);
    CHECK(with(200, "oops") == 2);
    CHECK(with(500, R"({"error": 5, "code": []})") == 2);
    n.daemon.answer("GET /v1/services", R"({"error": "a\u001b[2J", "code": "unreachable"})", 503);
    CHECK(n.run("services").err == "bevmesh: the daemon says: a\\x1b[2J\n");
}

TEST_CASE("a daemon that never answers is given up in time") {
    node n;
    n.daemon.hang("GET /v1/status");
    CHECK(n.run("status --timeout 200ms").status == 4);
}

TEST_CASE("services lists, filters, and finds what was meant") {
    node n;
    auto const all = n.run("services");
    CHECK(all.status == 0);
    CHECK(all.out.find("stand-in") != std::string::npos);
    CHECK(all.out.find("grafana") < all.out.find("redis"));
    CHECK(n.run("services --node thanos").out.find("grafana") == std::string::npos);
    CHECK(n.run("services --status critical").out.find("redis") == std::string::npos);
    auto const none = n.run("services --node nowhere");
    CHECK(none.status == 0);
    CHECK(none.out.empty());
    CHECK(none.err == "bevmesh: no service to show\n");
    CHECK(json::parse(n.run("services --node nowhere --format json").out)["services"].empty());

    n.daemon.answer("GET /v1/services?name=redis", all_services);
    CHECK(n.run("services redis").out.find("connected") != std::string::npos);
    n.daemon.answer("GET /v1/services?name=rediss",
                    R"({"error": "no service is called rediss", "code": "not_found"})", 404);
    auto const misspelt = n.run("services rediss");
    CHECK(misspelt.status == 1);
    CHECK(misspelt.err ==
          "bevmesh: the daemon says: no service is called rediss, did you mean redis\n");
}

TEST_CASE("maintenance asks, and does nothing without a yes") {
    node n;
    n.daemon.answer("POST /v1/maintenance", R"({"affected": ["redis"]})");
    auto const nobody = n.run("services maint redis on");
    CHECK(nobody.status == 1);
    CHECK(nobody.out.empty());
    CHECK(nobody.err.find("redis on thanos: into maintenance") != std::string::npos);
    CHECK(nobody.err.find("no other instance answers") != std::string::npos);
    CHECK(nobody.err.find("--yes") != std::string::npos);
    CHECK(n.run("services maint redis on", {"n\n", false}).status == 1);
    CHECK(n.run("services maint redis on", {"\n", false}).status == 1);
    for (auto const& request : n.daemon.requests())
        CHECK(!request.starts_with("POST"));
    auto const yes = n.run("services maint redis on", {"Yes\n", false});
    CHECK(yes.status == 0);
    CHECK(yes.out == "redis is in maintenance\n");
    CHECK(yes.err.ends_with("Go on? [y/N] "));
}

TEST_CASE("maintenance with --yes tells the daemon what was wished, and why") {
    node n;
    n.daemon.answer("POST /v1/maintenance", R"({"affected": ["redis"]})");
    CHECK(n.run("services maint redis on --reason disk -y").status == 0);
    CHECK(n.daemon.requests().back() ==
          R"(POST /v1/maintenance {"on":true,"reason":"disk","service":"redis"})");
    CHECK(n.run("services maint redis off --yes").out == "redis is back\n");
    CHECK(json::parse(n.run("services maint redis off --yes --format json").out)["affected"] ==
          json{"redis"});
}

TEST_CASE("maintenance of what is not on this node says where it is") {
    node n;
    auto const elsewhere = n.run("services maint grafana on --yes");
    CHECK(elsewhere.status == 1);
    CHECK(elsewhere.err ==
          "bevmesh: node thanos has no service grafana; it is on oracle1: say --node\n");
    CHECK(n.run("services maint redis on --node oracle1 --yes").status != 0);
    CHECK(n.daemon.requests().back() == "GET /v1/services?node=oracle1");
    CHECK(n.run("services maint rediss on --yes").err ==
          "bevmesh: node thanos has no service rediss, did you mean redis\n");
    // The daemon may remember a wish for a container that is gone.
    n.daemon.answer("POST /v1/maintenance", R"({"affected": []})");
    CHECK(n.run("services maint gone off --yes").status == 0);
}

TEST_CASE("a name that DNS and the API know alike resolves") {
    node_with_dns const n;
    auto const r = n.resolve("redis");
    CHECK(r.status == 0);
    CHECK(r.err.empty());
    CHECK(r.out ==
          "redis.service.consul\n"
          "ADDRESS   PORT  NODE    INSTANCE  STATUS (API)  A/AAAA  SRV\n"
          "10.0.0.1  6379  thanos  redis     passing       yes     yes\n"
          "DNS (" +
              n.dns.address() + ") and the API agree\n");
    CHECK(json::parse(n.resolve("redis.service.consul --format json").out)["verdict"] == "agree");
}

TEST_CASE("a name that they know differently is degraded") {
    node_with_dns n;
    n.dns.add_a("redis.service.consul", "10.9.9.9");
    auto const r = n.resolve("redis");
    CHECK(r.status == 3);
    CHECK(r.out.find("  DNS answers 10.9.9.9, which the API does not know\n") != std::string::npos);
}

TEST_CASE("a name that nobody knows is degraded") {
    node_with_dns const n;
    auto const r = n.resolve("nothing");
    CHECK(r.status == 3);
    CHECK(r.out.find("nothing answers to nothing.service.consul") != std::string::npos);
}

TEST_CASE("a DNS server that is silent, and one that fails") {
    node_with_dns n;
    n.dns.fail("redis.service.consul", 2);
    auto const failed = n.resolve("redis");
    CHECK(failed.status == 2);
    CHECK(failed.err.find("SERVFAIL") != std::string::npos);
    CHECK(failed.out.find("10.0.0.1") != std::string::npos);  // what the API knows is still there
    n.dns.fall_silent();
    CHECK(n.resolve("redis --timeout 300ms").status == 4);
}

TEST_CASE("without the API what DNS says is still shown") {
    node_with_dns const n;
    auto const r =
        run_cli("resolve redis --socket /nonexistent/api.sock --server " + n.dns.address());
    CHECK(r.status == 2);
    CHECK(r.out.find("10.0.0.1  6379  -     -         unknown       yes     yes") !=
          std::string::npos);
}

TEST_CASE("names are completed with the daemon's domain, or with the one that was said") {
    node_with_dns n;
    n.daemon.answer("GET /v1/status", R"({"node": "thanos", "domain": "bev.internal"})");
    CHECK(n.resolve("redis").out.starts_with("redis.service.bev.internal\n"));
    CHECK(n.resolve("redis --domain consul").status == 0);
}
