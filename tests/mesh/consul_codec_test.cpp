// Consul's answers as recorded from 1.22, its durations, and what we send it.
#include <nlohmann/json.hpp>

#include "mesh/consul/codec.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::consul;
using bevmesh::testing::recorded;
using bevmesh::testing::recorded_headers;

TEST_CASE("the agent's self tells node, address and version") {
    auto const self = decode_self(recorded("consul-1.22/self.json")).value();
    CHECK(self.node_name == "oracle1");
    CHECK(self.node_id == "df4320d4-39d8-b871-cba2-69dcb47d8a52");
    CHECK(self.datacenter == "bev");
    CHECK(self.advertise_address == "127.0.0.1");
    CHECK(self.version == "1.22.7");
}

TEST_CASE("the agent's services, also one without meta or address") {
    auto const all = decode_agent_services(recorded("consul-1.22/services.json")).value();
    REQUIRE(all.count("oracle1:redis:6379") == 1);
    auto const& redis = all.at("oracle1:redis:6379");
    CHECK(redis.name == "redis");
    CHECK(redis.tags == std::vector<std::string>{"primary", "b"});
    CHECK(redis.address == "100.96.197.84");
    CHECK(redis.port == 6379);
    CHECK(redis.meta.at("external-source") == "bevmesh");
    CHECK_FALSE(redis.enable_tag_override);
    auto const& web = all.at("web/1");
    CHECK(web.address.empty());
    CHECK(web.meta.empty());
    CHECK(web.enable_tag_override);
    CHECK(decode_agent_service(recorded("consul-1.22/service.json")).value() == redis);
}

TEST_CASE("the agent's checks, with maintenance as the check that it is") {
    auto const all = decode_agent_checks(recorded("consul-1.22/checks.json")).value();
    auto const& tcp = all.at("redis:tcp");
    CHECK(tcp.status == status::critical);
    CHECK(tcp.service_id == "oracle1:redis:6379");
    CHECK(tcp.type == "tcp");
    CHECK(tcp.output.find("connection refused") != std::string::npos);
    CHECK(all.at("redis:ttl").status == status::passing);
    CHECK(all.at("redis:ttl").notes == "mirror");
    auto const& maintenance = all.at("_service_maintenance:web/1");
    CHECK(maintenance.type == "maintenance");
    CHECK(maintenance.status == status::critical);
    CHECK(maintenance.notes == "bevmesh: paused");
}

TEST_CASE("one entry of the agent with its checks, also in maintenance") {
    auto const entry = decode_agent_entry(recorded("consul-1.22/entry-maintenance.json")).value();
    CHECK(entry.service.id == "thanos:redis:6379");
    CHECK(entry.service.port == 6379);
    REQUIRE(entry.checks.size() == 2);
    CHECK(entry.checks.at("_service_maintenance:thanos:redis:6379").notes == "by hand");
    CHECK(entry.checks.at("bevmesh:thanos:redis:6379:tcp").service_id == "thanos:redis:6379");
    CHECK(decode_agent_entry(R"({"AggregatedStatus":"critical","Service":null,"Checks":null})")
              .has_error());
}

TEST_CASE("the catalog and the health of a service") {
    auto const services = decode_catalog_services(recorded("consul-1.22/catalog-services.json"));
    CHECK(services.value().at("redis").size() == 2);
    CHECK(services.value().count("consul") == 1);
    auto const nodes = decode_catalog_service(recorded("consul-1.22/catalog-service.json")).value();
    REQUIRE(nodes.size() == 1);
    CHECK(nodes[0].node == "oracle1");
    CHECK(nodes[0].node_address == "127.0.0.1");
    CHECK(nodes[0].service.id == "oracle1:redis:6379");
    CHECK(nodes[0].service.port == 6379);
    auto const health = decode_health_service(recorded("consul-1.22/health-web.json")).value();
    REQUIRE(health.size() == 1);
    CHECK(health[0].service.id == "web/1");
    REQUIRE(health[0].checks.size() == 3);
    CHECK(health[0].checks[0].id == "serfHealth");
    CHECK(decode_health_service(recorded("consul-1.22/health-service.json")).value().size() == 1);
    CHECK(decode_health_service(recorded("consul-1.22/health-passing.json")).value().empty());
}

TEST_CASE("KV values come decoded, an empty one as empty") {
    auto const one = decode_kv(recorded("consul-1.22/kv-get.json")).value();
    REQUIRE(one.size() == 1);
    CHECK(one[0].key == "bev/a");
    CHECK(one[0].value == "hello \xc3\xbc");
    CHECK(one[0].flags == 42);
    CHECK(one[0].modify_index == 35);
    auto const all = decode_kv(recorded("consul-1.22/kv-list.json")).value();
    REQUIRE(all.size() == 2);
    CHECK(all[1].key == "bev/empty");
    CHECK(all[1].value.empty());
}

TEST_CASE("a transaction that lost says why, a token says who it is and no secret") {
    CHECK(decode_transaction_errors(recorded("consul-1.22/txn-conflict.json")).value() ==
          "operation 0: failed to set key \"bev/a\", index is stale");
    CHECK(decode_token(recorded("consul-1.22/token-self.json")).value() ==
          "6ef4f9c4-4f29-f355-cce8-92549fefa0da (global-management)");
}

TEST_CASE("the headers tell index, hash and leader") {
    auto const facts =
        decode_headers(recorded_headers("consul-1.22/catalog-services.headers"), true);
    CHECK(facts.index == 33);
    CHECK(facts.known_leader);
    CHECK_FALSE(facts.filtered);
    CHECK(decode_headers(recorded_headers("consul-1.22/service.headers"), true).content_hash ==
          "3c999ecc15706e15");
    header_lines const lost{{"x-consul-knownleader", "false"}, {"X-Consul-LastContact", "1500"}};
    CHECK_FALSE(decode_headers(lost, true).known_leader);
    CHECK(decode_headers(lost, true).last_contact == milliseconds(1'500));
}

TEST_CASE("an answer that ACLs filtered is never taken for a complete one") {
    CHECK(recorded("consul-1.22/services-filtered.json").substr(0, 2) == "{}");
    CHECK(decode_headers(recorded_headers("consul-1.22/services-filtered.headers"), true).filtered);
    CHECK_FALSE(decode_headers(recorded_headers("consul-1.22/services.headers"), true).filtered);
    // Without a token Consul does not say that it filtered.
    CHECK(recorded("consul-1.22/services-anonymous.json").substr(0, 2) == "{}");
    auto const anonymous = recorded_headers("consul-1.22/services-anonymous.headers");
    CHECK(decode_headers(anonymous, false).filtered);
    CHECK_FALSE(decode_headers({}, false).filtered);
}

TEST_CASE("documents that Consul would not send are bad answers that name the field") {
    CHECK(decode_self("<html>").error().code == errc::bad_answer);
    CHECK(decode_self("{}").error().doing ==
          "the agent's self: Config.NodeName: expected the node's name");
    CHECK(decode_agent_services("[]").has_error());
    CHECK(decode_agent_services(R"({"a":{"ID":"a","Port":70000}})").error().doing ==
          "the agent's services: Port: expected a smaller number");
    CHECK(decode_agent_services(R"({"a":{"ID":"a","Tags":"x"}})").has_error());
    CHECK(decode_agent_services(R"({"a":7})").has_error());
    CHECK(decode_agent_checks(R"({"a":{"CheckID":"a","Status":"fine"}})").has_error());
    CHECK(decode_kv(R"([{"Key":"a","Value":"?"}])").has_error());
    CHECK(decode_health_service("{}").has_error());
    CHECK(decode_kv(std::string(100'000, '[')).has_error());
}

TEST_CASE("durations are written and read as Go does") {
    CHECK(encode_duration(seconds(10)) == "10s");
    CHECK(encode_duration(milliseconds(1'500)) == "1500ms");
    CHECK(encode_duration(std::chrono::hours(24)) == "86400s");
    struct row {
        char const* text;
        std::int64_t count;
    };
    for (auto const& [text, count] : {row{"10s", 10'000}, row{"1m30s", 90'000}, row{"1.5s", 1'500},
                                      row{"500ms", 500}, row{"24h0m0s", 86'400'000}, row{"0", 0},
                                      row{"-3s", -3'000}, row{"1500us", 1}, row{"2\xc2\xb5s", 0}}) {
        INFO(text);
        CHECK(decode_duration(text).value() == milliseconds(count));
    }
    for (auto const* const text : {"", "10", "s", "1x", "1e3s", "--1s", "1 s", "99999999999h"}) {
        INFO(text);
        CHECK(decode_duration(text).has_error());
    }
}

TEST_CASE("base64 round trip and refusals") {
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i)
            bytes += static_cast<char>(i * 37 + size);
        CHECK(base64_decode(base64_encode(bytes)).value() == bytes);
    }
    CHECK(base64_encode("hello \xc3\xbc") == "aGVsbG8gw7w=");
    for (auto const* const text : {"a", "ab", "abc", "a===", "====", "ab=c", "a?c="}) {
        CHECK(base64_decode(text).has_error());
    }
}

TEST_CASE("a registration carries what was set and nothing else") {
    service_definition d;
    d.id = "oracle1:redis:6379";
    d.name = "redis";
    d.tags = {"primary"};
    d.address = "100.96.197.84";
    d.port = 6379;
    d.meta = {{"external-source", "bevmesh"}};
    d.tagged_addresses["lan"] = {"100.96.197.84", 6379};
    check_definition tcp;
    tcp.id = "redis:tcp";
    tcp.name = "tcp";
    tcp.tcp = "100.96.197.84:6379";
    tcp.interval = seconds(10);
    tcp.timeout = milliseconds(1'500);
    tcp.initial_status = "passing";
    check_definition ttl;
    ttl.id = "redis:ttl";
    ttl.ttl = std::chrono::hours(24);
    d.checks = {tcp, ttl};
    auto const expected = nlohmann::json::parse(R"({
        "ID": "oracle1:redis:6379", "Name": "redis", "Tags": ["primary"],
        "Address": "100.96.197.84", "Port": 6379, "Meta": {"external-source": "bevmesh"},
        "TaggedAddresses": {"lan": {"Address": "100.96.197.84", "Port": 6379}},
        "Checks": [
            {"CheckID": "redis:tcp", "Name": "tcp", "TCP": "100.96.197.84:6379",
             "Interval": "10s", "Timeout": "1500ms", "Status": "passing"},
            {"CheckID": "redis:ttl", "TTL": "86400s"}]})");
    CHECK(nlohmann::json::parse(encode_registration(d)) == expected);
}

TEST_CASE("each kind of check has Consul's names") {
    service_definition d;
    d.id = d.name = "x";
    check_definition c;
    c.id = "all";
    c.http = "http://h/";
    c.method = "POST";
    c.header = {{"A", {"b", "c"}}};
    c.body = "\xff";  // no UTF-8: replaced, never thrown
    c.tcp_use_tls = true;
    c.udp = "h:1";
    c.grpc = "h:2/s";
    c.grpc_use_tls = true;
    c.h2ping = "h:3";
    c.h2ping_use_tls = false;
    c.args = {"/bin/true"};
    c.docker_container_id = "abc";
    c.shell = "/bin/sh";
    c.alias_service = "y";
    c.alias_node = "n";
    c.deregister_after = std::chrono::minutes(10);
    c.tls_skip_verify = true;
    c.tls_server_name = "s";
    c.success_before_passing = 2;
    c.failures_before_warning = 3;
    c.failures_before_critical = 4;
    d.checks = {c};
    auto const got = nlohmann::json::parse(encode_registration(d)).at("Checks").at(0);
    auto const expected = nlohmann::json::parse(R"({
        "CheckID": "all", "HTTP": "http://h/", "Method": "POST", "Header": {"A": ["b", "c"]},
        "Body": "\ufffd", "TCPUseTLS": true, "UDP": "h:1", "GRPC": "h:2/s", "GRPCUseTLS": true,
        "H2PING": "h:3", "H2PingUseTLS": false, "Args": ["/bin/true"],
        "DockerContainerID": "abc", "Shell": "/bin/sh", "AliasService": "y", "AliasNode": "n",
        "DeregisterCriticalServiceAfter": "600s", "TLSSkipVerify": true, "TLSServerName": "s",
        "SuccessBeforePassing": 2, "FailuresBeforeWarning": 3, "FailuresBeforeCritical": 4})");
    CHECK(got == expected);
}

TEST_CASE("a check's report names the status") {
    CHECK(encode_check_update(status::passing, "all \"well\"") ==
          R"({"Output":"all \"well\"","Status":"passing"})");
    CHECK(encode_check_update(status::maintenance, "") == R"({"Output":"","Status":"critical"})");
}
