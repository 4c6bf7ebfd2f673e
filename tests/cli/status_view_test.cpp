// The page of `bevmesh status` and what it means for the exit status.
#include "mesh/cli/status_view.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh::cli;
using nlohmann::json;

namespace {

json answer() {
    return json::parse(R"({"version": "0.1.0", "node": "thanos", "mesh": "bev", "pid": 4711,
      "started_at": "2026-11-24T00:00:00Z", "uptime_seconds": 93784,
      "config_file": "/etc/bevmesh/bevmesh.yaml", "config_loaded_at": "2026-11-24T00:00:01Z",
      "consul": {"address": "127.0.0.1:8500", "reachable": true, "version": "1.22.7",
                 "node_name": "thanos", "datacenter": "bev", "detail": ""},
      "docker": {"address": "unix:///run/docker.sock", "reachable": false, "version": "20.10.24",
                 "api_version": "1.41", "name": "thanos", "containers": 1,
                 "detail": "Connection refused"},
      "registrar": {"settled": true, "services": 14, "announced": 12, "announcing": 1, "refused": 1,
                    "failing": 0, "removing": 0, "registrations": 14, "deregistrations": 0,
                    "reports": 3, "maintenance_changes": 0, "write_errors": 0},
      "peers": [
        {"node": "oracle1", "address": "100.96.197.84", "reachable": true, "version": "0.1.0",
         "same_config": false, "round_trip_us": 749, "detail": ""},
        {"node": "starlord", "address": "100.122.12.35", "reachable": false, "version": "0.1.0",
         "same_config": true, "detail": "no complete answer within 2000ms"}],
      "state": "degraded",
      "notes": [{"level": "warning", "code": "loopback",
                 "text": "web: port 80 is bound to loopback"},
                {"level": "info", "code": "", "text": "hello\u001b[2J"}]})");
}

}  // namespace

TEST_CASE("the status is a page of facts") {
    CHECK(draw_status(answer(), {}) ==
          "Node:       thanos, mesh bev\n"
          "State:      degraded\n"
          "Daemon:     bevmesh 0.1.0, pid 4711, up 1 d 2 h (since 2026-11-24T00:00:00Z)\n"
          "Config:     /etc/bevmesh/bevmesh.yaml, loaded 2026-11-24T00:00:01Z\n"
          "Consul:     ok  127.0.0.1:8500, 1.22.7, node thanos, datacenter bev\n"
          "Docker:     unreachable  unix:///run/docker.sock, 20.10.24, API 1.41, engine thanos, "
          "1 container, Connection refused\n"
          "Registrar:  settled  14 services: 12 announced, 1 announcing, 1 refused\n"
          "            since its start 14 registrations, 0 deregistrations, 3 health reports, "
          "0 failed writes\n"
          "Peers:      ok  oracle1, 100.96.197.84, bevmesh 0.1.0, 0.7 ms, "
          "its configuration differs\n"
          "            unreachable  starlord, 100.122.12.35, no complete answer within 2000ms\n"
          "Notes:      warning  web: port 80 is bound to loopback [loopback]\n"
          "            info  hello\\x1b[2J\n");
}

TEST_CASE("only a state of ok is a status of 0") {
    auto a = answer();
    CHECK(judge_status(a) == exit_status::degraded);
    a["state"] = "ok";
    CHECK(judge_status(a) == exit_status::done);
    CHECK(judge_status(json::object()) == exit_status::degraded);
    CHECK_NOTHROW(draw_status(json::array(), {}));
}

TEST_CASE("durations show their two largest units") {
    CHECK(draw_duration(0) == "0 s");
    CHECK(draw_duration(59) == "59 s");
    CHECK(draw_duration(60) == "1 min");
    CHECK(draw_duration(725) == "12 min 5 s");
    CHECK(draw_duration(3605) == "1 h");
    CHECK(draw_duration(93'784) == "1 d 2 h");
}
