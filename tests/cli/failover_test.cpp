// `bevmesh failover` against a daemon that says what the test wrote.
#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/cli/app_fixture.hpp"
#include "tests/cli/fake_daemon.hpp"

using namespace bevmesh::testing;
using nlohmann::json;

namespace {

json member(std::string const& node, bool primary) {
    return {
        {"node", node},          {"answers", true},     {"role", primary ? "primary" : "replica"},
        {"condition", "ok"},     {"at", 4711},          {"upstream", primary ? "" : "thanos"},
        {"streaming", !primary}, {"boot_fenced", true}, {"lag", primary ? json(nullptr) : json(0)},
        {"serving", primary},    {"guarded", true},     {"priority", 100},
        {"in_sync", true}};
}

json healthy() {
    json const group{
        {"group", "redis"},
        {"kind", "redis"},
        {"told", "oracle1 is in sync"},
        {"pause", nullptr},
        {"scheduled", nullptr},
        {"lease",
         {{"seen", true},
          {"holder", "thanos"},
          {"epoch", 7},
          {"state", "held"},
          {"left_ms", 3900}}},
        {"members", json::array({member("thanos", true), member("oracle1", false)})},
        {"candidates",
         json::array({{{"node", "oracle1"}, {"fit", false}, {"why", "it lags"}, {"at", 4711}}})},
        {"permission", {{"given", false}, {"why", "thanos holds it"}}}};
    return {{"node", "thanos"}, {"groups", json::array({group})}, {"not_answering", json::array()}};
}

struct mesh {
    mesh() { answer(healthy()); }
    void answer(json const& status) {
        daemon.answer("GET /v1/failover?group=", status.dump());
        daemon.answer("GET /v1/failover?group=redis", status.dump());
    }
    [[nodiscard]] ran run(std::string const& line) const {
        return run_cli("failover " + line + " --socket " + daemon.socket());
    }
    [[nodiscard]] json sent(std::string const& path) const {
        for (auto const& request : daemon.requests())
            if (request.starts_with("POST " + path + " "))
                return json::parse(request.substr(path.size() + 6));
        return nullptr;
    }
    fake_daemon daemon;
};

}  // namespace

TEST_CASE("failover status shows lease and members, and is degraded when nobody serves") {
    mesh m;
    auto const ok = m.run("status");
    CHECK(ok.status == 0);
    CHECK_THAT(ok.out, Catch::Contains("redis (redis): thanos, epoch 7, held, 3900 ms left"));
    CHECK_THAT(ok.out, Catch::Contains("MEMBER") && Catch::Contains("serving") &&
                           Catch::Contains("streaming"));
    auto nobody = healthy();
    nobody["groups"][0]["members"][0]["serving"] = false;
    m.answer(nobody);
    CHECK(m.run("status").status == 3);
    CHECK(json::parse(m.run("status --format json").out) == nobody);
}

TEST_CASE("a group whose members are all silent is told, and degraded") {
    mesh m;
    auto silent = healthy();
    silent["groups"] = json::array();
    silent["not_answering"] = json::array({{{"group", "redis"}, {"why", "no connection"}}});
    m.answer(silent);
    auto const r = m.run("status");
    CHECK(r.status == 3);
    CHECK_THAT(r.out, Catch::Contains("redis: no member answers: no connection"));
}

TEST_CASE("pauses and what is scheduled stand under the table") {
    mesh m;
    auto paused = healthy();
    paused["groups"][0]["pause"] = {
        {"until", "2026-11-28T02:30:00Z"}, {"by", "root"}, {"mesh", true}};
    paused["groups"][0]["scheduled"] = {
        {"node", "oracle1"}, {"at", "2026-11-28T03:00:00Z"}, {"by", "bev"}};
    m.answer(paused);
    auto const r = m.run("status redis");
    CHECK_THAT(r.out, Catch::Contains("the whole mesh is paused until 2026-11-28T02:30:00Z by "
                                      "root: nothing moves by itself"));
    CHECK_THAT(r.out, Catch::Contains("moves to oracle1 at 2026-11-28T03:00:00Z, ordered by bev"));
}

TEST_CASE("explain says why not") {
    mesh const m;
    auto const r = m.run("explain redis");
    CHECK(r.status == 0);
    CHECK_THAT(r.out, Catch::Contains("it lags") &&
                          Catch::Contains("the lease may not be taken: thanos holds it"));
}

TEST_CASE("a switchover shows the topology and what it will do before it is ordered") {
    mesh m;
    m.daemon.answer("POST /v1/failover/order", R"({"node": "thanos"})");
    auto const r = m.run("switchover redis --node oracle1 --yes");
    CHECK(r.status == 0);
    CHECK_THAT(r.err, Catch::Contains("thanos, epoch 7") &&
                          Catch::Contains("The primary of redis moves to oracle1."));
    CHECK(m.sent("/v1/failover/order")["node"] == "oracle1");
    m.daemon.answer("POST /v1/failover/order",
                    R"({"error": "oracle1 is not fit: it lags", "code": "conflict"})", 409);
    auto const refused = m.run("switchover redis --node oracle1 --yes");
    CHECK(refused.status == 5);
    CHECK_THAT(refused.err, Catch::Contains("oracle1 is not fit: it lags"));
    auto const whom = m.run("switchover redis --yes");
    CHECK(whom.status == 1);
    CHECK_THAT(whom.err, Catch::Contains("--node is needed"));
}

TEST_CASE("an ack says who did not hear it") {
    mesh m;
    m.daemon.answer("POST /v1/failover/order",
                    R"({"node": "oracle1", "heard": ["oracle1"], "unaware": ["thanos"]})");
    auto const r = m.run("ack redis --yes");
    CHECK(r.status == 0);
    CHECK_THAT(r.out, Catch::Contains("oracle1 was told") &&
                          Catch::Contains("thanos does not answer, and was not told"));
}

TEST_CASE("a switchover can be scheduled, and called off") {
    mesh m;
    m.daemon.answer("POST /v1/failover/schedule", R"({"group": "redis"})");
    auto const r = m.run("switchover redis --node oracle1 --at 2026-11-28T02:30Z --yes");
    CHECK(r.status == 0);
    CHECK(r.out == "scheduled\n");
    CHECK_THAT(r.err, Catch::Contains("moves to oracle1 at 2026-11-28T02:30Z"));
    CHECK(m.sent("/v1/failover/schedule")["at"] == "2026-11-28T02:30Z");
    CHECK(m.run("switchover redis --cancel --yes").out == "called off\n");
    CHECK(m.run("switchover redis --cancel --node oracle1 --yes").status == 1);
}

TEST_CASE("a pause is of one group or of the whole mesh, never of nothing") {
    mesh m;
    m.daemon.answer("POST /v1/failover/pause", R"({"until": "2026-11-28T02:30:00Z"})");
    auto const r = m.run("pause redis --for 30m --yes");
    CHECK(r.status == 0);
    CHECK(r.out == "paused until 2026-11-28T02:30:00Z\n");
    CHECK(m.sent("/v1/failover/pause")["seconds"] == 1800);
    mesh all;
    all.daemon.answer("POST /v1/failover/pause", R"({"until": null})");
    CHECK(all.run("resume --all --yes").out == "resumed\n");
    CHECK(all.sent("/v1/failover/pause")["group"] == "*");
    CHECK(m.run("pause --yes").status == 1);
    CHECK(m.run("pause redis --all --yes").status == 1);
    CHECK(m.run("pause redis --for soon --yes").status == 1);
}

TEST_CASE("the history is of all members, and says when it is of one alone") {
    mesh m;
    json history{{"complete", true},
                 {"history", json::array({{{"at", "2026-11-28T02:30:00.120Z"},
                                           {"node", "oracle1"},
                                           {"weight", "warning"},
                                           {"text", "takes over: thanos is dead"}}})}};
    m.daemon.answer("GET /v1/failover/history?group=redis", history.dump());
    auto const r = m.run("history redis");
    CHECK(r.status == 0);
    CHECK_THAT(r.out, Catch::Contains("oracle1") && Catch::Contains("takes over: thanos is dead") &&
                          !Catch::Contains("Consul"));
    history["complete"] = false;
    m.daemon.answer("GET /v1/failover/history?group=redis", history.dump());
    CHECK_THAT(m.run("history redis").out, Catch::Contains("Consul does not answer"));
}
