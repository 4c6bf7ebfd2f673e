// The shipped configuration: loads, and holds every system of the mesh where it belongs.
#include <algorithm>

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

}  // namespace

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

TEST_CASE("bev.yaml: every service names its checks") {
    for (auto const& service : bev().services) {
        CAPTURE(service.name);
        CHECK((service.checks && !service.checks->empty()));
    }
}

}  // namespace bevmesh::config
