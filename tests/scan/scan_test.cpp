// What the scan says of single lines that a user could have.
#include <nlohmann/json.hpp>

#include "registrar/scan/dsn.hpp"
#include "registrar/scan/edit.hpp"
#include "tests/catch.hpp"
#include "tests/scan/corpus.hpp"

namespace bevmesh::registrar::scan {
namespace {

finding only(kind k, std::string const& text, inventory const& mesh = corpus_mesh()) {
    auto const found = scan_text(k, text, mesh);
    REQUIRE(found.size() == 1);
    return found.front();
}

std::string rewritten(kind k, std::string const& text) {
    return edited(text, scan_text(k, text, corpus_mesh()), confidence::medium);
}

}  // namespace

TEST_CASE("an address and a port that are one service's alone: high") {
    auto const f = only(kind::env, "CACHE=100.96.197.84:6379\n");
    CHECK(f.is.service == "redis");
    CHECK(f.is.sure == confidence::high);
    CHECK(f.is.name == "redis.service.consul");
    CHECK(
        f.is.reason ==
        "port 6379 of oracle1 is redis; the name reaches whichever is healthy of oracle1, thanos");
    CHECK(f.line == 1);
    CHECK(f.column == 7);
}

TEST_CASE("an address alone, under a key that names one service of the node: medium") {
    auto const f = only(kind::env, "REDIS_HOST=100.96.197.84\n");
    CHECK(f.is.service == "redis");
    CHECK(f.is.sure == confidence::medium);
}

TEST_CASE("what cannot be known is unknown, with candidates") {
    auto const f = only(kind::env, "BACKEND=100.96.197.84\n");
    CHECK(f.is.service.empty());
    CHECK(f.is.sure == confidence::unknown);
    CHECK(f.is.candidates.size() > 5);
    CHECK(only(kind::env, "X=http://10.1.1.1:80\n").is.reason ==
          "no node and no service has this address");
}

TEST_CASE("a port that the service does not have is told of and not written") {
    std::string const text = "REDIS_HOST=100.96.197.84\nREDIS_PORT=6380\n";
    auto const f = only(kind::env, text);
    CHECK(f.is.service.empty());
    CHECK(f.is.reason == "oracle1 has no service on port 6380; redis has 6379 there");
    CHECK(rewritten(kind::env, text) == text);
}

TEST_CASE("only the address changes, the port, the password and the database stay") {
    CHECK(
        rewritten(kind::env, "U=redis://:a#b%40c@100.96.197.84:6379/2 # 100.96.197.84:6379\r\n") ==
        "U=redis://:a#b%40c@redis.service.consul:6379/2 # 100.96.197.84:6379\r\n");
    CHECK(rewritten(kind::json, R"({"a": "{\"h\": \"nats://[fd7a:115c:a1e0::5]:4222\"}"})") ==
          R"({"a": "{\"h\": \"nats://nats.service.consul:4222\"}"})");
}

TEST_CASE("an address in a password is nobody's") {
    CHECK(scan_text(kind::env, "U=postgres://u:100.122.12.54@db:5432/x\n", corpus_mesh()).empty());
}

TEST_CASE("a scheme that contradicts the port makes it low, which is not written") {
    auto const f = only(kind::env, "U=postgres://100.96.197.84:6379/x\n");
    CHECK(f.is.service == "redis");
    CHECK(f.is.sure == confidence::low);
    CHECK_FALSE(is_written(f, confidence::medium));
}

TEST_CASE("a name that also reaches an instance with another port is not written") {
    mesh_config mesh;
    mesh.nodes["a"] = {"10.0.0.1", "amd64", "", false};
    mesh.nodes["b"] = {"10.0.0.2", "amd64", "", false};
    service_config broker;
    broker.name = "kafka";
    broker.instances.resize(2);
    broker.instances[0].nodes = {"a"};
    broker.instances[0].port = 9092;
    broker.instances[1].nodes = {"b"};
    broker.instances[1].port = 9093;
    mesh.services = {broker};
    auto const f = only(kind::env, "K=10.0.0.1:9092\n", inventory(mesh));
    CHECK(f.is.service == "kafka");
    CHECK(f.is.sure == confidence::low);
    CHECK(f.is.name.empty());
    CHECK_FALSE(is_written(f, confidence::low));
}

TEST_CASE("the catalog lowers what does not resolve now, and adds what nobody configured") {
    auto mesh = corpus_mesh();
    mesh.add_catalog(nlohmann::json::parse(R"({"services": [
        {"name": "redis", "instances": [
            {"node": "oracle1", "address": "100.96.197.84", "port": 6379}]},
        {"name": "extra", "instances": [
            {"node": "thanos", "address": "100.122.12.54", "port": 7001}]},
        {"name": 5}, {"instances": "none"}]})"));
    CHECK(only(kind::env, "A=100.96.197.84:6379\n", mesh).is.sure == confidence::high);
    CHECK(only(kind::env, "A=100.122.12.54:6379\n", mesh).is.sure == confidence::medium);
    CHECK(only(kind::env, "A=100.122.12.54:5432\n", mesh).is.sure == confidence::low);
    CHECK(only(kind::env, "A=100.122.12.54:7001\n", mesh).is.service == "extra");
}

TEST_CASE("places that take only addresses are left, and say why") {
    auto const f = only(kind::compose, "services:\n  a:\n    dns: 100.96.197.84\n");
    CHECK(f.left);
    CHECK(f.say);
    CHECK(f.is.reason == "a DNS server's place takes only addresses");
}

TEST_CASE("passwords are masked, lines stay") {
    CHECK(masked("a: postgres://u:p#w@h:1/d?x=1\nDB_PASSWORD=abc # c\nREDIS=redis://:x@h\n") ==
          "a: postgres://u:***@h:1/d?x=1\nDB_PASSWORD=***\nREDIS=redis://:***@h\n");
}

TEST_CASE("a password with a slash is masked before a name as before an address") {
    CHECK(masked("U=redis://d:#S/t@redis.service.consul:6379/1") ==
          "U=redis://d:***@redis.service.consul:6379/1");
    CHECK(masked("U=redis://d:#S/t@10.0.0.1:6379/1") == "U=redis://d:***@10.0.0.1:6379/1");
}

TEST_CASE("a diff is what patch takes") {
    CHECK(unified_diff("./a b", "1\n2\n3\n4\n5\n6", "1\n2\n3\n4\nx\n6") ==
          "--- a/a b\t\n+++ b/a b\t\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n"
          "\\ No newline at end of file\n");
    CHECK(unified_diff("a", "1\n", "1\n").empty());
}

}  // namespace bevmesh::registrar::scan
