// The shipped configuration: loads, and holds every system of the mesh where it belongs.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

mesh_config const& bev() {
    static auto const file = load_file(BEVMESH_SOURCE_DIR "/config/bev.yaml");
    for (auto const& p : file.problems)
        FAIL_CHECK(to_string(p));
    return file.value;
}

// "NAME:PORT" of each instance on the node, sorted.
lines on(std::string const& node) {
    lines all;
    for (auto const& service : bev().services)
        for (auto const& instance : service.instances)
            if (std::ranges::find(instance.nodes, node) != instance.nodes.end())
                all.push_back(service.name + ":" + std::to_string(instance.port));
    std::ranges::sort(all);
    return all;
}

// "KIND", with the path that is asked for and the port where it is not the main one.
std::string in_words(check_config const& check) {
    std::string text = check.kind == check_kind::tcp        ? "tcp"
                       : check.kind == check_kind::http     ? "http"
                       : check.kind == check_kind::redis    ? "redis"
                       : check.kind == check_kind::postgres ? "postgres"
                                                            : "another kind";
    if (check.kind == check_kind::http) text += " " + check.path;
    if (!check.port.empty()) text += " on " + check.port;
    return text;
}

}  // namespace

TEST_CASE("bev.yaml: the databases that move, once the '# ' is taken away") {
    std::ifstream in(BEVMESH_SOURCE_DIR "/config/bev.yaml");
    std::ostringstream whole;
    bool taken = false;
    for (std::string line; std::getline(in, line);) {
        taken = taken || line == "# failover:";
        whole << (taken && line.size() > 1 ? line.substr(2) : taken ? std::string() : line) << "\n";
    }
    REQUIRE(taken);
    auto const file = load_text(whole.str(), "bev.yaml");
    for (auto const& p : file.problems)
        FAIL_CHECK(to_string(p));
    REQUIRE(file.value.failover.size() == 2);
}

TEST_CASE("bev.yaml: three nodes with their addresses in the mesh") {
    auto const& nodes = bev().nodes;
    REQUIRE(nodes.size() == 3);
    CHECK(nodes.at("starlord").address == "100.122.12.35");
    CHECK(nodes.at("thanos").address == "100.122.12.54");
    CHECK(nodes.at("thanos").gpu);
    CHECK(nodes.at("oracle1").address == "100.96.197.84");
    CHECK(nodes.at("oracle1").arch == "arm64");
}

TEST_CASE("bev.yaml: the three Docker networks") {
    auto const& networks = bev().networks;
    REQUIRE(networks.size() == 3);
    CHECK(networks.at("bev_network").subnet == "172.30.0.0/16");
    CHECK(networks.at("bev_network").nodes == lines{"thanos"});
    CHECK(networks.at("bev_oracle").subnet == "172.31.0.0/16");
    CHECK(networks.at("bev_oracle").nodes == lines{"oracle1"});
    CHECK(networks.at("bev_osint").subnet == "172.25.0.0/16");
}

TEST_CASE("bev.yaml: every system is on its node, with its port") {
    CHECK(on("starlord") == lines{"deployment-orchestrator:8081", "dev-environment:8082",
                                  "frontend:8080", "vault:8200"});
    CHECK(on("thanos") == lines{"adaptive-learning:8030", "autonomous-coordinator:8020",
                                "elasticsearch:9200", "influxdb:8086", "intelowl-worker:8010",
                                "intelowl:8000", "kafka:9092", "kafka:9093", "kafka:9094",
                                "knowledge-evolution:8040", "neo4j:7687", "postgres:5432",
                                "rabbitmq:5672", "rabbitmq:5673", "rabbitmq:5674", "redis:6379",
                                "zookeeper:2181"});
    CHECK(on("oracle1") == lines{"alertmanager:9093", "breach-analyzer:8070",
                                 "crypto-analyzer:8071", "grafana:3000", "health-monitor:8060",
                                 "nginx-proxy-manager:80", "prometheus:9090", "redis:6379",
                                 "social-analyzer:8072", "tor:9050", "vault-proxy:8100"});
}

TEST_CASE("bev.yaml: every service is checked by what it speaks") {
    std::map<std::string, lines> const others{
        {"vault", {"tcp"}},
        {"postgres", {"postgres"}},
        {"neo4j", {"tcp", "tcp on browser"}},
        {"elasticsearch", {"http /_cluster/health?local=true"}},
        {"redis", {"redis"}},
        {"kafka", {"tcp"}},
        {"rabbitmq", {"tcp"}},
        {"zookeeper", {"tcp"}},
        {"prometheus", {"http /-/healthy"}},
        {"grafana", {"http /api/health"}},
        {"alertmanager", {"http /-/healthy"}},
        {"tor", {"tcp"}},
        {"nginx-proxy-manager", {"tcp"}},
    };
    for (auto const& service : bev().services) {
        CAPTURE(service.name);
        lines said;
        for (auto const& check : service.checks.value_or(std::vector<check_config>()))
            said.push_back(in_words(check));
        auto const other = others.find(service.name);
        CHECK(said == (other == others.end() ? lines{"http /health"} : other->second));
    }
}

}  // namespace bevmesh::config
