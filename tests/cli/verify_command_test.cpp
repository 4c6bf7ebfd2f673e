// `bevmesh verify` against a daemon that says what the test wrote: what it prints, how it ends.
#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/cli/app_fixture.hpp"
#include "tests/cli/fake_daemon.hpp"

using namespace bevmesh::testing;
using nlohmann::json;

namespace {

std::string answer_with(char const* severity) {
    json issues = json::array();
    if (severity != nullptr)
        issues.push_back({{"code", "BEV501"},
                          {"severity", severity},
                          {"title", "no container"},
                          {"text", "no running container on thanos is redis"},
                          {"remedy", "on thanos: docker start redis"}});
    json const row{{"component", "redis"},
                   {"node", "thanos"},
                   {"category", "services"},
                   {"status", issues.empty() ? "working" : "missing"},
                   {"issues", std::move(issues)}};
    return json{{"asked_on", "thanos"}, {"rows", {row}}}.dump();
}

ran verify(fake_daemon const& daemon, std::string const& rest = "") {
    return run_cli("verify " + rest + " --socket " + daemon.socket());
}

}  // namespace

TEST_CASE("a mesh that is well is 0, an error is 3, a warning alone is none") {
    fake_daemon daemon;
    daemon.answer("GET /v1/verify", answer_with(nullptr));
    auto const well = verify(daemon);
    CHECK(well.status == 0);
    CHECK(well.out.find("all well") != std::string::npos);
    daemon.answer("GET /v1/verify", answer_with("error"));
    auto const degraded = verify(daemon);
    CHECK(degraded.status == 3);
    CHECK(degraded.out.find("on thanos: docker start redis") != std::string::npos);
    CHECK(json::parse(verify(daemon, "--format json").out)["errors"] == 1);
    daemon.answer("GET /v1/verify", answer_with("warning"));
    CHECK(verify(daemon).status == 0);
}

TEST_CASE("what was left out does not count") {
    fake_daemon daemon;
    daemon.answer("GET /v1/verify", answer_with("error"));
    CHECK(verify(daemon, "--skip services").status == 0);
    CHECK(verify(daemon, "--only nodes,networks").status == 0);
    CHECK(verify(daemon, "--only services").status == 3);
    auto const wrong = verify(daemon, "--only everything");
    CHECK(wrong.status == 1);
}

TEST_CASE("without a daemon nothing could be asked, and it says what to start") {
    auto const ran = run_cli("verify --socket /nonexistent/api.sock");
    CHECK(ran.status == 2);
    CHECK(ran.err.find("systemctl status bevmesh") != std::string::npos);
}

TEST_CASE("--wait looks again, and ends when the time is over") {
    fake_daemon daemon;
    daemon.answer("GET /v1/verify", answer_with("error"));
    CHECK(verify(daemon, "--wait 700ms").status == 3);
    CHECK(daemon.requests().size() >= 2);
    CHECK(verify(daemon, "--wait soon").status == 1);
}
