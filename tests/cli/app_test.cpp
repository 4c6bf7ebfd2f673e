// The command line itself: help, wrong input, the common options, and what starts the daemon.
#include "mesh/cli/app.hpp"

#include <nlohmann/json.hpp>

#include "config/loader.hpp"
#include "mesh/cli/terminal.hpp"
#include "tests/catch.hpp"
#include "tests/cli/app_fixture.hpp"

using bevmesh::testing::run_cli;
using bevmesh::testing::variable;
namespace config = bevmesh::config;

TEST_CASE("every command has a help page with the way to say it") {
    for (auto const* command : {"", "daemon", "status", "services", "services maint", "resolve",
                                "config", "config validate", "version"}) {
        CAPTURE(command);
        auto const r = run_cli(std::string(command) + " --help");
        CHECK(r.status == 0);
        CHECK(r.err.empty());
        CHECK(r.out.find("Usage: bevmesh " + std::string(command)) != std::string::npos);
        CHECK(run_cli("help " + std::string(command)).out == r.out);
    }
    for (auto const* command : {"", "daemon", "status", "services", "services maint", "resolve"})
        CHECK(run_cli(std::string(command) + " --help").out.find("Examples:") != std::string::npos);
}

TEST_CASE("the version is one line, or data") {
    CHECK(run_cli("--version").out == run_cli("version").out);
    CHECK(run_cli("version").out.starts_with("bevmesh "));
    auto const data = nlohmann::json::parse(run_cli("version --format json").out);
    CHECK("bevmesh " + data["version"].get<std::string>() + "\n" == run_cli("version").out);
    CHECK(run_cli("version --format yaml").out.starts_with("version: \""));
}

TEST_CASE("what is wrong on the command line is said, with what may have been meant") {
    auto const says = [](std::string const& line, std::string const& sentence) {
        CAPTURE(line);
        auto const r = run_cli(line);
        CHECK(r.status == 1);
        CHECK(r.out.empty());
        CHECK(r.err.substr(0, r.err.find('\n')) == "bevmesh: " + sentence);
        CHECK(r.err.find("Try: bevmesh") != std::string::npos);
    };
    says("", "a command is missing");
    says("servces", "there is no command \"servces\", did you mean services");
    says("stauts --format json", "there is no command \"stauts\", did you mean status");
    says("frobnicate", "there is no command \"frobnicate\"");
    says("status --formt json", "status: there is no option \"--formt\", did you mean --format");
    says("status now", "status: \"now\" was not expected");
    says("services mant redis on", "services: there is no command \"redis\"");
    says("services --status well",
         "services: --status: well not in {passing,warning,critical,maintenance,announced,"
         "announcing,removing,refused,failing}");
    says("services maint", "services maint: name is required");
    says("services maint redis", "services maint: state is required");
    says("services maint redis maybe", "services maint: state: maybe not in {on,off}");
    says("resolve", "resolve: name is required");
    says("resolve a b", "resolve: \"b\" was not expected");
    says("config", "config: a command is missing");
    says("config validat", "config: there is no command \"validat\", did you mean validate");
    says("daemon extra", "daemon: \"extra\" was not expected");
    says("daemon --node", "daemon: --node: 1 required NAME missing");
    says("version 2", "version: \"2\" was not expected");
}

TEST_CASE("what a terminal would obey is shown, also when we complain about it") {
    CHECK(run_cli("\x1b[2J").err.starts_with("bevmesh: there is no command \"\\x1b[2J\""));
    CHECK(run_cli("status --\x1b[2J").err.find('\x1b') == std::string::npos);
    CHECK(run_cli("services --status \x1b[2J").err.find('\x1b') == std::string::npos);
    CHECK(run_cli("version --format \x1b[2J").err.find('\x1b') == std::string::npos);
}

TEST_CASE("values that are wrong are local errors") {
    auto const says = [](std::string const& line, std::string const& sentence) {
        CAPTURE(line);
        auto const r = run_cli(line);
        CHECK(r.status == 1);
        CHECK(r.out.empty());
        CHECK(r.err == "bevmesh: " + sentence + "\n");
    };
    says("version --format xml", "--format: \"xml\" is wrong; expected table, json or yaml");
    says("status --timeout 10",
         "--timeout: \"10\" is wrong; expected a duration such as 500ms, 10s or 1m");
    says("status --timeout 0s",
         "--timeout: \"0s\" is wrong; expected a duration such as 500ms, 10s or 1m");
    says("resolve re/dis --domain consul",
         "\"re/dis\" cannot be a name in DNS; expected letters, digits, - and dots, such as redis");
    says("resolve redis --domain consul --server nowhere",
         "\"nowhere\" is not the address of a DNS server; expected ADDRESS or ADDRESS:PORT, such "
         "as 127.0.0.1:8600");
}

TEST_CASE("the format comes from the option, else from the environment") {
    variable const format("BEVMESH_FORMAT", "json");
    CHECK(run_cli("version").out.starts_with("{"));
    CHECK(run_cli("version --format yaml").out.starts_with("version:"));
    CHECK(run_cli("--format yaml version").out.starts_with("version:"));
    CHECK(run_cli("--format=table version").out.starts_with("bevmesh "));
    CHECK(run_cli("version --format json --format table").out.starts_with("bevmesh "));
    variable const wrong("BEVMESH_FORMAT", "xml");
    CHECK(run_cli("version").status == 1);
    CHECK(run_cli("version --format json").status == 0);
}

TEST_CASE("the daemon is started with what it was told") {
    auto const r = run_cli("daemon --config /etc/x.yaml --node thanos");
    REQUIRE(r.daemons.size() == 1);
    CHECK(r.daemons.front().config_file == "/etc/x.yaml");
    CHECK(r.daemons.front().node == "thanos");
    CHECK(run_cli("daemon").daemons.front().config_file == "/etc/bevmesh/bevmesh.yaml");
    variable const config("BEVMESH_CONFIG", "/etc/y.yaml");
    CHECK(run_cli("daemon").daemons.front().config_file == "/etc/y.yaml");
    CHECK(run_cli("daemon -c /etc/x.yaml").daemons.front().config_file == "/etc/x.yaml");
}

TEST_CASE("colour needs a terminal that takes it and a person who did not refuse it") {
    using bevmesh::cli::wants_colour;
    CHECK(wants_colour(true, nullptr, "xterm"));
    CHECK(wants_colour(true, "", "xterm"));
    CHECK(!wants_colour(true, "1", "xterm"));
    CHECK(!wants_colour(true, nullptr, "dumb"));
    CHECK(!wants_colour(true, nullptr, nullptr));
    CHECK(!wants_colour(false, nullptr, "xterm"));
}

TEST_CASE("registrator's own command line starts the daemon") {
    variable const token("CONSUL_HTTP_TOKEN", "s3cret");
    auto const r = run_cli("registrator -cleanup -internal -ip 10.0.0.1 consul://127.0.0.1:8500");
    CHECK(r.status == 0);
    REQUIRE(r.daemons.size() == 1);
    CHECK(r.daemons.front().consul_token.reveal() == "s3cret");
    CHECK(config::load_text(r.daemons.front().document, "document").problems.empty());
    CHECK(run_cli("registrator -colour consul://").status == 1);
    auto const shown = run_cli("registrator --print-config -ip 10.0.0.1 consul://");
    CHECK(config::load_text(shown.out, "printed").problems.empty());
    CHECK(shown.daemons.empty());
}
