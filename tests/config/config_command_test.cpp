#include "mesh/cli/config_command.hpp"

#include <sstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/loader.hpp"
#include "tests/catch.hpp"

namespace bevmesh::cli {
namespace {

std::string const bev = BEVMESH_SOURCE_DIR "/config/bev.yaml";
std::string const wrong = BEVMESH_SOURCE_DIR "/tests/config/wrong.yaml";

struct outcome {
    int status = -1;
    std::string out;
    std::string err;
};

outcome run(std::vector<std::string> arguments) {
    // The environment of whoever runs the tests is not theirs.
    ::unsetenv("BEVMESH_CONFIG");
    ::unsetenv("BEVMESH_FORMAT");
    outcome result;
    std::ostringstream out;
    std::ostringstream err;
    CLI::App app;
    add_config_command(app, result.status, out, err);
    std::ranges::reverse(arguments);
    app.parse(arguments);
    result.out = out.str();
    result.err = err.str();
    return result;
}

}  // namespace

TEST_CASE("validate: a valid file is one line") {
    auto const [status, out, err] = run({"config", "validate", bev});
    CHECK(status == 0);
    CHECK(out == bev + ": valid: 3 nodes, 27 services, 31 instances, 3 networks\n");
    CHECK(err.empty());
    CHECK(run({"config", "validate", "--config", bev}).out == out);
}

TEST_CASE("validate: problems are lines on the standard error, and the status is 1") {
    auto const [status, out, err] = run({"config", "validate", wrong});
    CHECK(status == 1);
    CHECK(out.empty());
    CHECK(err ==
          wrong +
              ":4:23: nodes.thanos.address: \"thanos\" is not valid; expected an IPv4 or IPv6 "
              "address that can be connected to\n" +
              wrong +
              ":6:35: services.web.prot: unknown key, did you mean port; expected one of "
              "match, host, port, ports, protocol, nodes, address, tags, meta, checks, mode, "
              "network, mirror_health, enable_tag_override, tls, instances\n");
}

TEST_CASE("validate: problems as data") {
    auto const [status, out, err] = run({"config", "validate", wrong, "--format", "json"});
    CHECK(status == 1);
    CHECK(err.empty());
    auto const data = nlohmann::json::parse(out);
    CHECK(data["valid"] == false);
    REQUIRE(data["problems"].size() == 2);
    CHECK(data["problems"][0]["line"] == 4);
    CHECK(data["problems"][0]["key"] == "nodes.thanos.address");
}

TEST_CASE("show: what it prints is the same configuration again, in both formats") {
    auto const original = config::load_file(bev).value;
    for (auto const* format : {"yaml", "json"}) {
        auto const [status, out, err] = run({"config", "show", bev, "--format", format});
        CHECK(status == 0);
        auto const again = config::load_text(out, "shown");
        CHECK(again.problems.empty());
        CHECK(again.value == original);
    }
}

TEST_CASE("show: a value says where it is from") {
    auto const out = run({"config", "show", bev, "--origin"}).out;
    CHECK(out.find("  domain: consul  # line 9\n") != std::string::npos);
    CHECK(out.find("  resync: 30s  # default\n") != std::string::npos);
}

TEST_CASE("show: one node's part") {
    auto const out = run({"config", "show", bev, "--node", "starlord"}).out;
    auto const part = config::load_text(out, "shown").value;
    CHECK(part.services.size() == 4);
    CHECK(part.networks.empty());
    CHECK(part.nodes.size() == 3);
    auto const [status, none, err] = run({"config", "show", bev, "--node", "pluto"});
    CHECK(status == 1);
    CHECK(none.empty());
    CHECK(err == bev +
                     ": \"pluto\" is no node of this mesh; expected one of oracle1, starlord, "
                     "thanos\n");
}

TEST_CASE("show: a file with problems is not shown") {
    auto const [status, out, err] = run({"config", "show", wrong});
    CHECK(status == 1);
    CHECK(out.empty());
    CHECK_FALSE(err.empty());
}

TEST_CASE("schema: is JSON for editors") {
    auto const [status, out, err] = run({"config", "schema"});
    CHECK(status == 0);
    CHECK(nlohmann::json::parse(out)["properties"].contains("services"));
}

}  // namespace bevmesh::cli
