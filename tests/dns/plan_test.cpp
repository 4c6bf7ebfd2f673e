// From facts about a host to what is written on it: every resolver, and what stops a plan.
#include "registrar/dns/plan.hpp"

#include <algorithm>

#include "registrar/dns/resolv_conf.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar::dns;

namespace {

consul_facts consul() {
    consul_facts c;
    c.dns_address = "127.0.0.1:8600";
    return c;
}

/// Docker with a network of each kind, dnsmasq installed, resolv.conf as given.
host_facts host(std::string const& conf, std::vector<listener> listeners = {}) {
    host_facts h;
    h.conf = parse_resolv_conf(conf);
    h.listeners = std::move(listeners);
    h.dnsmasq_path = "/usr/sbin/dnsmasq";
    h.restart = {"systemctl", "restart", "it.service"};
    h.systemd = true;
    h.engine.version = "20.10.24";
    h.engine.restart = {"systemctl", "restart", "docker.service"};
    h.engine.networks = {
        {"bridge", network_kind::default_bridge, {"172.17.0.0/16"}, "172.17.0.1"},
        {"mine", network_kind::user_defined, {"172.18.0.0/16"}, "172.18.0.1"},
        {"shut", network_kind::internal, {"172.27.0.0/16"}, "172.27.0.1"},
        {"host", network_kind::host, {}, ""},
    };
    return h;
}

host_facts with_resolved(unsigned version) {
    auto h =
        host("nameserver 127.0.0.53\n", {{"127.0.0.53", 7, "systemd-resolve", program::resolved}});
    h.resolved.version = version;
    return h;
}

host_facts with_dnsmasq(std::string const& at) {
    auto h = host("nameserver 127.0.0.1\n", {{at, 8, "dnsmasq", program::dnsmasq}});
    h.dnsmasq_folder = "/etc/dnsmasq.d";
    return h;
}

wishes all(bool restart_engine = true) {
    return {{true, true}, restart_engine};
}

planned_file const* find(plan const& p, std::string const& path) {
    auto const found = std::ranges::find(p.files, path, &planned_file::path);
    return found == p.files.end() ? nullptr : &*found;
}

std::string refusal(host_facts const& h, wishes const& w = all()) {
    auto const made = make_plan(h, consul(), w);
    REQUIRE(made.has_error());
    CHECK(made.error().code == errc::bad_input);
    return made.error().doing;
}

}  // namespace

TEST_CASE("systemd-resolved gets a drop-in, and answers on the gateways itself") {
    auto const p = make_plan(with_resolved(252), consul(), all()).value();
    auto const* file = find(p, "/etc/systemd/resolved.conf.d/bevmesh.conf");
    REQUIRE(file != nullptr);
    CHECK(file->content.starts_with("# " + std::string(marker)));
    CHECK(
        file->content.ends_with("[Resolve]\nDNS=127.0.0.1:8600\nDomains=~consul\n"
                                "DNSStubListenerExtra=172.17.0.1\n"
                                "DNSStubListenerExtra=172.27.0.1\n"));
    CHECK(find(p, "/etc/dnssec-trust-anchors.d/bevmesh.negative") != nullptr);
    CHECK(find(p, "/etc/docker/daemon.json")->content ==
          "{\n  \"dns\": [\n    \"172.17.0.1\",\n    \"172.27.0.1\"\n  ]\n}\n");
    CHECK(p.forward.program.empty());
    CHECK(p.restart == std::vector<std::string>{"systemctl", "restart", "it.service"});
    CHECK(find(p, "/etc/resolv.conf") == nullptr);
}

TEST_CASE("a resolved that has no extra listeners gets a forwarder beside it") {
    auto const p = make_plan(with_resolved(246), consul(), all()).value();
    CHECK(p.forward.program == "/usr/sbin/dnsmasq");
    CHECK(find(p, "/etc/bevmesh/dns-forwarder.conf")->content.find("server=127.0.0.53\n") !=
          std::string::npos);
    CHECK(find(p, "/etc/systemd/system/bevmesh-dns.service") != nullptr);
}

TEST_CASE("a resolved that would ask others for the mesh's names is left alone") {
    CHECK(refusal(with_resolved(245)).find("246") != std::string::npos);
    auto global = with_resolved(252);
    global.resolved.global = {"1.1.1.1"};
    CHECK(refusal(global).find("1.1.1.1") != std::string::npos);
    auto fallback = with_resolved(252);
    fallback.resolved.fallback_only = true;
    CHECK(refusal(fallback).find("fallback") != std::string::npos);
}

TEST_CASE("a dnsmasq on loopback gets a drop-in, and a second one answers on the bridges") {
    auto const p = make_plan(with_dnsmasq("127.0.0.1"), consul(), all()).value();
    CHECK(find(p, "/etc/dnsmasq.d/bevmesh.conf")->content.find("server=/consul/127.0.0.1#8600\n") !=
          std::string::npos);
    // Also where user-defined networks come in: for TCP dnsmasq looks at the interface.
    CHECK(p.forward.addresses ==
          std::vector<std::string>{"172.17.0.1", "172.27.0.1", "172.18.0.1"});
    CHECK(p.container_dns == std::vector<std::string>{"172.17.0.1", "172.27.0.1"});
}

TEST_CASE("a dnsmasq on every address answers on the bridges already") {
    auto const p = make_plan(with_dnsmasq("0.0.0.0"), consul(), all()).value();
    CHECK(p.forward.program.empty());
    CHECK(find(p, "/etc/docker/daemon.json") != nullptr);
}

TEST_CASE("Docker is not restarted without consent, and its file is not touched") {
    auto const p = make_plan(with_dnsmasq("127.0.0.1"), consul(), all(false)).value();
    CHECK(find(p, "/etc/docker/daemon.json") == nullptr);
    CHECK(p.restart_engine.empty());
    CHECK(p.container_dns.empty());
    REQUIRE(p.left_out.size() == 1);
    CHECK(p.left_out[0].find("--restart-docker") != std::string::npos);
    auto foreign = with_dnsmasq("127.0.0.1");
    foreign.engine.daemon_file = true;
    auto const q = make_plan(foreign, consul(), all()).value();
    CHECK(find(q, "/etc/docker/daemon.json") == nullptr);
    CHECK(q.left_out[0].find(R"("dns": ["172.17.0.1","172.27.0.1"])") != std::string::npos);
}

TEST_CASE(
    "a plain resolv.conf is replaced by one that names the forwarder wherever it is reached") {
    auto const p = make_plan(host("# by hand\nsearch x.test\nnameserver 10.0.0.1\noptions edns0\n"),
                             consul(), all(false))
                       .value();
    auto const* conf = find(p, "/etc/resolv.conf");
    REQUIRE(conf != nullptr);
    CHECK(conf->replaces);
    CHECK(
        conf->content.ends_with("\n# by hand\nsearch x.test\noptions edns0\nnameserver 127.0.0.1\n"
                                "nameserver 172.17.0.1\nnameserver 172.27.0.1\n"));
    CHECK(find(p, "/etc/bevmesh/dns-forwarder.conf")->content.find("server=10.0.0.1\n") !=
          std::string::npos);
    CHECK(find(p, "/etc/docker/daemon.json") == nullptr);
    CHECK(p.left_out.empty());
}

TEST_CASE("a resolv.conf that somebody generates is not fought over") {
    CHECK(
        refusal(host("# Generated by NetworkManager\nnameserver 10.0.0.1\n")).find("dns=dnsmasq") !=
        std::string::npos);
}

TEST_CASE("unbound is the forwarder where dnsmasq is not, for the networks there are") {
    auto h = host("");
    h.dnsmasq_path.clear();
    h.unbound_path = "/usr/sbin/unbound";
    h.systemd = false;
    auto const p = make_plan(h, consul(), all()).value();
    CHECK(p.resolver.kind == resolver_kind::none);
    auto const text = find(p, "/etc/unbound/bevmesh-forwarder.conf")->content;
    CHECK(text.find("access-control: 172.27.0.0/16 allow\n") != std::string::npos);
    CHECK(text.find("name: \".\"") == std::string::npos);
    CHECK(p.forward.pid_file == "/run/bevmesh-dns.pid");
    CHECK(p.left_out.at(0).find("not at boot") != std::string::npos);
}

TEST_CASE("what is in the way is named, with what can be done") {
    auto unknown = host("nameserver 127.0.0.1\n", {{"127.0.0.1", 9, "named", program::other}});
    CHECK(refusal(unknown).find("forwarders { 127.0.0.1 port 8600; }") != std::string::npos);
    auto taken = host("nameserver 10.0.0.1\n", {{"0.0.0.0", 9, "dnsmasq", program::dnsmasq}});
    CHECK(refusal(taken).find("dnsmasq (pid 9) has port 53 of 127.0.0.1") != std::string::npos);
    auto bare = host("nameserver 10.0.0.1\n");
    bare.dnsmasq_path.clear();
    CHECK(refusal(bare).find("dnsmasq-base") != std::string::npos);
    auto closed = with_dnsmasq("127.0.0.1");
    closed.dnsmasq_folder.clear();
    CHECK(refusal(closed).find("conf-dir=") != std::string::npos);
    auto stuck = with_dnsmasq("127.0.0.1");
    stuck.restart.clear();
    CHECK(refusal(stuck).find("must be restarted") != std::string::npos);
}

TEST_CASE("what works is not touched") {
    auto const p = make_plan(with_dnsmasq("127.0.0.1"), consul(), {{false, true}, true}).value();
    CHECK(find(p, "/etc/dnsmasq.d/bevmesh.conf") == nullptr);
    CHECK(p.restart.empty());
    CHECK(find(p, "/etc/bevmesh/dns-forwarder.conf") != nullptr);
}
