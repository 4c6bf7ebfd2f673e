// A mesh of three nodes as `bevmesh verify` sees it: clean when it is well, and each kind of damage
// under its code.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "registrar/verify/facts.hpp"
#include "registrar/verify/judge.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar::verify;

namespace {

instance_config instance(std::string container, std::string node, std::uint16_t port) {
    instance_config i;
    i.match.container = std::move(container);
    i.nodes = {std::move(node)};
    i.port = port;
    return i;
}

consul::health_entry entry(std::string id, std::string name, std::string node,
                           std::string address) {
    consul::health_entry e;
    e.node = std::move(node);
    e.service.id = std::move(id);
    e.service.name = std::move(name);
    e.service.address = std::move(address);
    e.checks = {{"serfHealth", "Serf Health Status", consul::status::passing, "", "", "", ""},
                {"tcp", "TCP", consul::status::passing, e.service.id, "tcp", "", ""}};
    return e;
}

/// redis on thanos, web on oracle1, network bev_network on thanos; all of it well.
struct mesh {
    mesh() {
        config.domain = "consul";
        config.nodes["starlord"].address = "100.122.12.35";
        config.nodes["thanos"].address = "100.122.12.54";
        config.nodes["oracle1"].address = "100.96.197.84";
        config.networks["bev_network"] = {"172.30.0.0/16", {"thanos"}};
        config.services.resize(2);
        config.services[0].name = "redis";
        config.services[0].instances = {instance("redis", "thanos", 6379)};
        config.services[1].name = "web";
        config.services[1].instances = {instance("web", "oracle1", 80)};
        facts.asked_on = "starlord";
        facts.catalog.emplace();
        catalog("redis") = {entry("t:redis:6379", "redis", "thanos", "100.122.12.54")};
        catalog("web") = {entry("o:web:80", "web", "oracle1", "100.96.197.84")};
        for (auto const& [name, node] : config.nodes) {
            auto& f = facts.nodes[name].facts.emplace();
            f.node = name;
            f.version = "1";
            f.config_hash = "a";
            f.docker.ok = f.consul.ok = f.leader = true;
            f.networks = {{"bridge", "bridge", {"172.17.0.0/16"}}, {"host", "host", {}}};
            for (auto* dns : {&f.consul_dns, &f.host_dns}) {
                (*dns)["redis"].addresses = {"100.122.12.54"};
                (*dns)["web"].addresses = {"100.96.197.84"};
            }
        }
        thanos().networks.push_back({"bev_network", "bridge", {"172.30.0.0/16"}});
        put("thanos", "redis", "redis#0", "t:redis:6379");
        put("oracle1", "web", "web#0", "o:web:80");
    }

    /// A container that is announced, and its entry at the agent.
    void put(std::string const& node, std::string const& name, std::string const& key,
             std::string const& id) {
        auto& f = *facts.nodes[node].facts;
        f.containers.push_back({name, "running", "none", {key}});
        f.views.push_back({id, name, name, "announced", ""});
        f.entries.push_back({id, name});
    }

    node_facts& thanos() { return *facts.nodes["thanos"].facts; }
    std::vector<consul::health_entry>& catalog(std::string const& name) {
        return (*facts.catalog)[name];
    }

    /// All codes that are told, each once.
    std::set<std::string> codes() const {
        std::set<std::string> all;
        for (auto const& r : judge(config, facts))
            for (auto const& f : r.findings) {
                INFO(text_of(f.code));
                CHECK_FALSE(f.text.empty());
                CHECK_FALSE(f.remedy.empty());
                all.insert(text_of(f.code));
            }
        return all;
    }
    row of(std::string const& component, std::string const& node) const {
        for (auto const& r : judge(config, facts))
            if (r.component == component && r.node == node) return r;
        FAIL("no row " << component << " on " << node);
        return {};
    }
    standing status(std::string const& component, std::string const& node) const {
        return of(component, node).status;
    }

    mesh_config config;
    mesh_facts facts;
};

using codes = std::set<std::string>;

}  // namespace

TEST_CASE("a mesh that is well has a row for everything and no finding") {
    mesh m;
    CHECK(m.codes().empty());
    for (auto const& r : judge(m.config, m.facts)) {
        INFO(r.component);
        CHECK(r.status == standing::working);
    }
    CHECK(m.of("redis", "thanos").category == category::services);
    CHECK(to_json(judge(m.config, m.facts), "starlord")["healthy"] == true);
}

TEST_CASE("codes are distinct, and each has a title and a category's hundred") {
    std::set<std::string> seen;
    for (auto const& m : all_meanings()) {
        CHECK(seen.insert(text_of(m.code)).second);
        CHECK_FALSE(m.title.empty());
        CHECK(static_cast<int>(m.code) / 100 == static_cast<int>(m.category) + 1);
    }
}

TEST_CASE("a daemon that cannot be asked: nothing of its node is called healthy") {
    mesh m;
    m.facts.nodes["thanos"].facts.reset();
    m.facts.nodes["thanos"].trouble = "connect: Connection refused";
    CHECK(m.codes() == codes{"BEV101", "BEV509"});
    CHECK(m.status("redis", "thanos") == standing::unknown);
    auto const told = m.of("redis", "thanos").findings.front().text;
    CHECK(told.find("Consul says passing") != std::string::npos);
    m.catalog("redis").front().checks[0].status = consul::status::critical;
    CHECK(m.codes() == codes{"BEV101", "BEV506", "BEV509"});
    CHECK(to_json(judge(m.config, m.facts), "starlord")["healthy"] == false);
}

TEST_CASE("the odd one has the other configuration, also when it is the one that asks") {
    mesh m;
    m.facts.nodes["starlord"].facts->config_hash = "b";
    CHECK(m.codes() == codes{"BEV102"});
    CHECK(m.status("daemon", "starlord") == standing::failing);
    m.facts.nodes["starlord"].facts->config_hash = "a";
    m.thanos().version = "2";
    CHECK(m.codes() == codes{"BEV105"});
    CHECK(m.status("daemon", "thanos") == standing::warning);
}

TEST_CASE("a clock is held against those of the others") {
    mesh m;
    auto& thanos = m.facts.nodes["thanos"];
    SECTION("within what the way of the answer hides") {
        thanos.clock_offset = milliseconds(1'500);
        thanos.rtt = milliseconds(1'000);
        CHECK(m.codes().empty());
    }
    SECTION("off") {
        thanos.clock_offset = milliseconds(-2'300);
        CHECK(m.codes() == codes{"BEV103"});
        CHECK(m.of("clock", "thanos").findings.front().text ==
              "the clock of thanos is 2.3 s behind the mesh's");
    }
    SECTION("far off") {
        thanos.clock_offset = milliseconds(60'000);
        CHECK(m.codes() == codes{"BEV104"});
    }
    SECTION("our own") {
        for (auto const* other : {"thanos", "oracle1"})
            m.facts.nodes[other].clock_offset = milliseconds(60'000);
        CHECK(m.codes() == codes{"BEV104"});
        CHECK(m.status("clock", "starlord") == standing::failing);
    }
}

TEST_CASE("Consul's agent, its leader, its catalog") {
    mesh m;
    SECTION("agent down") {
        m.thanos().consul = {false, "refused"};
        CHECK(m.codes() == codes{"BEV201", "BEV509"});
        CHECK(m.status("redis", "thanos") == standing::unknown);
    }
    SECTION("no leader") {
        m.thanos().leader = false;
        CHECK(m.codes() == codes{"BEV202"});
    }
    SECTION("no catalog") {
        m.facts.catalog.reset();
        m.facts.catalog_trouble = "timed out";
        CHECK(m.codes() == codes{"BEV203", "BEV509"});
    }
}

TEST_CASE("Docker down: its services are unknown, whatever was seen before") {
    mesh m;
    m.thanos().docker = {false, "refused"};
    m.thanos().networks.clear();
    CHECK(m.codes() == codes{"BEV301", "BEV509"});
}

TEST_CASE("networks: absent, other subnet, overlapping") {
    mesh m;
    SECTION("absent") {
        m.thanos().networks.pop_back();
        CHECK(m.codes() == codes{"BEV401"});
        CHECK(m.status("network bev_network", "thanos") == standing::missing);
    }
    SECTION("other subnet") {
        m.thanos().networks.back().subnets = {"172.28.0.0/16"};
        CHECK(m.codes() == codes{"BEV402"});
    }
    SECTION("another network over it, on another node") {
        m.facts.nodes["oracle1"].facts->networks.push_back({"x", "bridge", {"172.30.128.0/20"}});
        CHECK(m.codes() == codes{"BEV403"});
        CHECK(m.status("network x", "oracle1") == standing::failing);
    }
    SECTION("over a node's own address") {
        m.thanos().networks.push_back({"x", "bridge", {"100.96.0.0/16"}});
        CHECK(m.codes() == codes{"BEV403"});
    }
}

TEST_CASE("a service without its container") {
    mesh m;
    m.thanos().containers.clear();
    m.thanos().views.clear();
    m.thanos().entries.clear();
    m.catalog("redis").clear();
    SECTION("nowhere") {
        CHECK(m.codes() == codes{"BEV501"});
        CHECK(m.status("redis", "thanos") == standing::missing);
    }
    SECTION("on another node") {
        m.put("oracle1", "redis", "redis#0", "o:redis:6379");
        CHECK(m.codes() == codes{"BEV502"});
        CHECK(m.of("redis", "thanos").findings.front().text ==
              "redis runs on oracle1 and not on thanos");
    }
    SECTION("its entry stayed in Consul") {
        m.catalog("redis") = {entry("t:redis:6379", "redis", "thanos", "100.122.12.54")};
        CHECK(m.codes() == codes{"BEV501", "BEV505"});
    }
    SECTION("on the other one of the nodes where it may run") {
        m.config.services[0].instances[0].nodes = {"thanos", "oracle1"};
        m.put("oracle1", "redis", "redis#0", "o:redis:6379");
        m.catalog("redis") = {entry("o:redis:6379", "redis", "oracle1", "100.96.197.84")};
        for (auto& [name, node] : m.facts.nodes)
            for (auto* dns : {&node.facts->consul_dns, &node.facts->host_dns})
                (*dns)["redis"].addresses = {"100.96.197.84"};
        CHECK(m.codes() == codes{});
        CHECK(m.status("redis", "oracle1") == standing::working);
    }
}

TEST_CASE("a container where it belongs and elsewhere too") {
    mesh m;
    m.facts.nodes["oracle1"].facts->containers.push_back({"redis", "running", "none", {"redis#0"}});
    CHECK(m.codes() == codes{"BEV502"});
    CHECK(m.status("redis", "thanos") == standing::working);
    CHECK(m.status("redis", "oracle1") == standing::failing);
}

TEST_CASE("a container that Consul does not know") {
    mesh m;
    SECTION("not announced at all") {
        m.thanos().views.clear();
    }
    SECTION("not at the agent") {
        m.thanos().entries.clear();
    }
    SECTION("not in the catalog") {
        m.catalog("redis").clear();
    }
    auto found = m.codes();
    found.erase("BEV505");  // without the view, the entry has nothing behind it
    CHECK(found == codes{"BEV503"});
}

TEST_CASE("a second entry beside the container's") {
    mesh m;
    m.catalog("redis").push_back(entry("by-hand", "redis", "thanos", "100.122.12.54"));
    CHECK(m.codes() == codes{"BEV504"});
}

TEST_CASE("health: critical, warning, maintenance") {
    mesh m;
    auto& checks = m.catalog("redis").front().checks;
    SECTION("critical") {
        checks[1].status = consul::status::critical;
        checks[1].output = "connection refused\nmore";
        CHECK(m.codes() == codes{"BEV506"});
        CHECK(m.of("redis", "thanos").findings.front().text ==
              "check \"TCP\" of redis on thanos is critical: connection refused");
    }
    SECTION("warning") {
        checks[1].status = consul::status::warning;
        CHECK(m.codes() == codes{"BEV507"});
        CHECK(m.status("redis", "thanos") == standing::warning);
    }
    SECTION("maintenance") {
        checks.push_back({"_service_maintenance:t:redis:6379", "", consul::status::critical, "", "",
                          "", "disk"});
        CHECK(m.codes() == codes{"BEV508"});
    }
}

TEST_CASE("a further port is part of its service's row") {
    mesh m;
    m.config.services[0].instances[0].ports["admin"] = 6380;
    CHECK(names_of(m.config) == std::vector<std::string>{"redis", "redis-admin", "web"});
    CHECK(m.codes() == codes{"BEV503"});
    m.thanos().views.push_back({"t:redis:6380", "redis-admin", "redis", "announced", ""});
    m.thanos().entries.push_back({"t:redis:6380", "redis-admin"});
    m.catalog("redis-admin") = {entry("t:redis:6380", "redis-admin", "thanos", "100.122.12.54")};
    CHECK(m.codes().empty());
}

TEST_CASE("names: as Consul's DNS and the host's resolver tell them on each node") {
    mesh m;
    auto& f = *m.facts.nodes["starlord"].facts;
    SECTION("Consul's DNS does not know it") {
        f.consul_dns["redis"].addresses.clear();
        CHECK(m.codes() == codes{"BEV601"});
        CHECK(m.status("names", "starlord") == standing::failing);
    }
    SECTION("the host's resolver does not know one") {
        f.host_dns["redis"].addresses.clear();
        CHECK(m.codes() == codes{"BEV602"});
    }
    SECTION("the host's resolver knows none: once, not for each name") {
        for (auto& [name, fact] : f.host_dns)
            fact.addresses.clear();
        CHECK(m.codes() == codes{"BEV605"});
        CHECK(m.of("names", "starlord").findings.size() == 1);
    }
    SECTION("an address of no instance") {
        f.consul_dns["redis"].addresses = {"10.0.0.1"};
        CHECK(m.codes() == codes{"BEV603"});
    }
    SECTION("Consul's DNS is silent: once") {
        for (auto& [name, fact] : f.consul_dns)
            fact = {{}, "no answer in time"};
        CHECK(m.codes() == codes{"BEV604"});
        CHECK(m.of("names", "starlord").findings.size() == 1);
    }
    SECTION("a service that is critical need not resolve") {
        m.catalog("redis").front().checks[1].status = consul::status::critical;
        for (auto& [name, report] : m.facts.nodes)
            for (auto* dns : {&report.facts->consul_dns, &report.facts->host_dns})
                (*dns)["redis"].addresses.clear();
        CHECK(m.codes() == codes{"BEV506"});
    }
}

TEST_CASE("facts travel as JSON") {
    mesh m;
    m.thanos().took_ms = 3;
    m.thanos().wall_ms = 1'700'000'000'000;
    m.thanos().host_dns["web"].trouble = "SERVFAIL";
    CHECK((decode_node_facts(encode(m.thanos())).value() == m.thanos()));
    CHECK(decode_node_facts(R"({"node":"a","added":"later"})")->node == "a");
    CHECK(decode_node_facts("{}").has_error());
    CHECK(decode_node_facts(R"({"node":"a","docker":{"networks":{}}})").has_error());
}
