// A service's `tls`: what is taken, and how each mistake is told.
#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

using namespace bevmesh;
using namespace bevmesh::config;

namespace {

std::string const vault = "vault: {addresses: ['https://10.0.0.1:8200']}\n";

std::string redis(std::string const& tls) {
    return "services:\n"
           "  redis: {match: {container: redis}, port: 6379, tls: " +
           tls + "}\n";
}

}  // namespace

TEST_CASE("a service without `tls` gets no certificate, one with it says where and how") {
    auto const without = load_text(
        head + vault + "services: {redis: {match: {container: redis}, port: 6379}}\n", "f");
    REQUIRE(without.problems.empty());
    CHECK(without.value.services.front().tls.recipe.empty());
    auto const with =
        load_text(head + vault + redis("{recipe: redis, folder: /etc/redis/tls, owner: 999}"), "f");
    REQUIRE(with.problems.empty());
    auto const& tls = with.value.services.front().tls;
    CHECK(tls.folder == "/etc/redis/tls");
    CHECK(tls.owner == 999U);
    CHECK(tls.layout == "linked");
}

TEST_CASE("a certificate needs a Vault, a folder, a recipe that is known and a port") {
    CHECK(problems_of(head + redis("{recipe: redis, folder: /t}")).size() == 1);
    CHECK(problems_of(head + vault + redis("{recipe: redis}")).size() == 1);
    CHECK(problems_of(head + vault + redis("{folder: /t}")).size() == 1);
    CHECK(problems_of(head + vault + redis("{recipe: magic, folder: /t}")).size() == 1);
    CHECK(problems_of(head + vault + redis("{recipe: redis, folder: t}")).size() == 1);
    CHECK(problems_of(head + vault +
                      "services: {redis: {match: {container: redis}, tls: "
                      "{recipe: redis, folder: /t}}}\n")
              .size() == 1);
}

TEST_CASE("a recipe's own needs, and windows that are no cron lines, are told") {
    CHECK(problems_of(head + vault + redis("{recipe: exec, folder: /t}")) ==
          lines{"f:5:55: services.redis.tls.command: is missing; expected for recipe exec the "
                "command to run"});
    CHECK(problems_of(head + vault + redis("{recipe: signal, folder: /t}")).size() == 1);
    CHECK(problems_of(head + vault + redis("{recipe: kafka, folder: /t}")).size() == 3);
    CHECK(problems_of(head + vault +
                      redis("{recipe: kafka, folder: /t, broker: '1', listener: mesh, "
                            "client_config: /k/admin.properties}"))
              .empty());
    CHECK(problems_of(head + vault +
                      "services: {nginx: {match: {compose: web}, port: 443, tls: "
                      "{recipe: nginx, folder: /t}}}\n")
              .size() == 1);
    CHECK(problems_of(head + vault + redis("{recipe: zookeeper, folder: /t}")).size() == 1);
    CHECK(
        problems_of(head + vault + redis("{recipe: zookeeper, folder: /t, layout: flat}")).empty());
    CHECK(problems_of(head + vault +
                      redis("{recipe: redis, folder: /t, windows: ['0 2 * * 6', soon]}"))
              .size() == 1);
    CHECK(problems_of(head + vault +
                      redis("{recipe: exec, folder: /t, command: [nginx, -s, reload]}"))
              .empty());
}

TEST_CASE("a CRL is asked for where a program reads one, and not where none is read") {
    auto const with =
        load_text(head + vault + redis("{recipe: exec, folder: /t, command: [x], crl: true}"), "f");
    REQUIRE(with.problems.empty());
    CHECK(with.value.services.front().tls.crl == true);
    CHECK(problems_of(head + vault + redis("{recipe: redis, folder: /t, crl: false}")).empty());
    CHECK(problems_of(head + vault + redis("{recipe: redis, folder: /t, crl: true}")) ==
          lines{"f:5:88: services.redis.tls.crl: is nothing for recipe redis, which reads no CRL; "
                "expected no `crl`"});
}

TEST_CASE("no service gets the certificate by which the daemons know each other") {
    std::string const named = "services:\n  bevmesh: {match: {container: app}, port: 6379";
    CHECK(problems_of(head + vault + named + ", tls: {recipe: redis, folder: /t}}\n") ==
          lines{"f:5:55: services.bevmesh.tls: would give the service bevmesh the name by which "
                "the nodes' daemons know each other; expected another name for a service with a "
                "certificate"});
    CHECK(problems_of(head + vault + named + "}\n").empty());
}
