// The table of reload recipes: every product that is promised, and how its words become calls.
#include "certs/recipes.hpp"

#include <algorithm>
#include <set>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;

namespace {

using lines = std::vector<std::string>;

recipe const& known(std::string_view name) {
    auto const* const found = find_recipe(name);
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("every product that is promised has a recipe, each once") {
    auto const names = recipe_names();
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    for (auto const* name :
         {"redis", "postgres", "rabbitmq", "kafka", "elasticsearch", "neo4j", "influxdb", "nginx",
          "prometheus", "alertmanager", "grafana", "zookeeper", "signal", "docker_signal", "exec",
          "docker_exec", "http", "restart", "consul"}) {
        INFO(name);
        CHECK(find_recipe(name) != nullptr);
    }
    CHECK(find_recipe("magic") == nullptr);
    for (auto const& each : recipes()) {
        INFO(each.name);
        CHECK(each.patience >= seconds(10));
        CHECK(each.patience <= seconds(120));
    }
}

TEST_CASE("what a recipe needs of the configuration is in its words") {
    CHECK(needs_of(known("redis")).empty());
    CHECK(needs_of(known("nginx")) == lines{"container"});
    CHECK(needs_of(known("exec")) == lines{"command"});
    CHECK(needs_of(known("docker_exec")) == lines{"container", "command"});
    CHECK(needs_of(known("signal")) == lines{"pid_file", "signal"});
    CHECK(needs_of(known("kafka")) ==
          lines{"container", "address", "client_config", "broker", "listener", "files"});
    CHECK(restarts(known("neo4j")));
    CHECK_FALSE(restarts(known("nginx")));
    CHECK_FALSE(known("zookeeper").follows_links);
    CHECK(known("postgres").first == greeting::postgres);
}

TEST_CASE("PostgreSQL and nginx read a CRL, what is told by hand where it is said, others never") {
    CHECK(reads_crl(known("postgres"), {}));
    CHECK(reads_crl(known("nginx"), {}));
    CHECK_FALSE(reads_crl(known("postgres"), false));
    for (auto const* name :
         {"signal", "docker_signal", "exec", "docker_exec", "http", "restart", "none"}) {
        INFO(name);
        CHECK_FALSE(reads_crl(known(name), {}));
        CHECK(reads_crl(known(name), true));
    }
    CHECK_FALSE(reads_crl(known("redis"), true));
}

TEST_CASE("a pair comes with its bundle: what tells of that is told too, and no call twice") {
    auto const& kafka = known("kafka");
    CHECK(calls_for(kafka, change::pair).size() == 2);
    CHECK(calls_for(kafka, change::bundle) == kafka.bundle);
    CHECK(calls_for(known("nginx"), change::pair) == known("nginx").leaf);
    CHECK(calls_for(known("elasticsearch"), change::pair).empty());
}

TEST_CASE("the words in braces are filled in, a command as all its words, and no others") {
    recipe_words const words{{"container", {"broker-1"}},     {"address", {"10.0.0.1:9093"}},
                             {"client_config", {"/k/admin"}}, {"broker", {"1"}},
                             {"listener", {"mesh"}},          {"files", {"/tls/current"}},
                             {"command", {"sh", "{files}"}}};
    auto const call = fill_in(calls_for(known("kafka"), change::pair).front(), words);
    CHECK(call.words ==
          lines{"broker-1", "kafka-configs.sh", "--bootstrap-server", "10.0.0.1:9093",
                "--command-config", "/k/admin", "--entity-type", "brokers", "--entity-name", "1",
                "--alter", "--add-config",
                "listener.name.mesh.ssl.keystore.location=/tls/current/combined.pem"});
    auto const own = fill_in(known("docker_exec").leaf.front(), words);
    CHECK(own.words == lines{"broker-1", "sh", "{files}"});
}
