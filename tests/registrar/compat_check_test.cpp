#include "registrar/compat_check.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

struct outcome {
    std::optional<check_config> check;
    std::vector<note> notes;
};

outcome read(std::vector<std::string> env) {
    auto c = test::web();
    c.env = std::move(env);
    outcome r;
    r.check = compat_check(compat_keys(c).for_port({80, "tcp"}), {80, "tcp"}, c, r.notes);
    return r;
}

}  // namespace

TEST_CASE("registrator's order of checks: http, https, cmd, script, ttl, tcp, grpc") {
    std::vector<std::string> env{"SERVICE_CHECK_DOCKER=d", "SERVICE_CHECK_GRPC=true",
                                 "SERVICE_CHECK_TCP=true", "SERVICE_CHECK_TTL=30s",
                                 "SERVICE_CHECK_SCRIPT=s", "SERVICE_CHECK_CMD=c",
                                 "SERVICE_CHECK_HTTPS=/b", "SERVICE_CHECK_HTTP=/a"};
    for (auto const expected :
         {check_kind::http, check_kind::https, check_kind::script, check_kind::script,
          check_kind::ttl, check_kind::tcp, check_kind::grpc, check_kind::docker}) {
        auto const r = read(env);
        REQUIRE(r.check);
        CHECK(r.check->kind == expected);
        env.pop_back();
    }
    CHECK_FALSE(read(env).check);
}

TEST_CASE("CHECK_CMD is what the image progrium/consul runs") {
    CHECK(read({"SERVICE_CHECK_CMD=curl -f x"}).check->command ==
          std::vector<std::string>{"check-cmd", "aaaaaaaaaaaa", "80", "curl -f x"});
}

TEST_CASE("CHECK_SCRIPT is split into arguments") {
    CHECK(read({"SERVICE_CHECK_SCRIPT=nc -z $SERVICE_IP '$SERVICE_PORT'"}).check->command ==
          std::vector<std::string>{"nc", "-z", "$SERVICE_IP", "$SERVICE_PORT"});
}

TEST_CASE("the settings of a check") {
    auto const r = read(
        {"SERVICE_CHECK_HTTP=/h", "SERVICE_CHECK_HTTP_METHOD=HEAD", "SERVICE_CHECK_INTERVAL=15s",
         "SERVICE_CHECK_TIMEOUT=1s", "SERVICE_CHECK_INITIAL_STATUS=Passing",
         "SERVICE_CHECK_DEREGISTER_AFTER=10m", "SERVICE_CHECK_TLS_SKIP_VERIFY=false"});
    REQUIRE(r.check);
    CHECK(r.notes.empty());
    CHECK(r.check->method == "HEAD");
    CHECK(r.check->interval == milliseconds{15'000});
    CHECK(r.check->timeout == milliseconds{1'000});
    CHECK(r.check->initial_status == "passing");
    CHECK(r.check->deregister_after == milliseconds{600'000});
    CHECK(r.check->tls_skip_verify);  // any value that is not empty
    CHECK(read({"SERVICE_CHECK_HTTPS=/h", "SERVICE_CHECK_HTTPS_METHOD=PUT",
                "SERVICE_CHECK_HTTP_METHOD=HEAD"})
              .check->method == "PUT");
}

TEST_CASE("gRPC over TLS") {
    CHECK(read({"SERVICE_CHECK_GRPC=true", "SERVICE_CHECK_GRPC_USE_TLS=1"}).check->tls);
    CHECK_FALSE(read({"SERVICE_CHECK_GRPC=true"}).check->tls);
}

TEST_CASE("metabrainz: headers, body, a command in the container") {
    auto const r =
        read({"SERVICE_CHECK_HTTP=/", "SERVICE_CHECK_HEADER={\"X-A\":[\"1\",\"2\"],\"X-B\":\"3\"}",
              "SERVICE_CHECK_BODY=hello", "SERVICE_CHECK_DEREGISTER=5m"});
    REQUIRE(r.check);
    CHECK(r.check->headers.at("X-A") == std::vector<std::string>{"1", "2"});
    CHECK(r.check->headers.at("X-B") == std::vector<std::string>{"3"});
    CHECK(r.check->body == "hello");
    CHECK(r.check->deregister_after == milliseconds{300'000});
    CHECK(read({"SERVICE_CHECK_DOCKER=redis-cli ping"}).check->command ==
          std::vector<std::string>{"redis-cli", "ping"});
    CHECK(read({"SERVICE_CHECK_DOCKER=a | b", "SERVICE_CHECK_SHELL=/bin/bash"}).check->command ==
          std::vector<std::string>{"/bin/bash", "-c", "a | b"});
}

TEST_CASE("what Consul would refuse the service for is left out with a note") {
    struct row {
        std::vector<std::string> env;
        bool kept;
    };
    for (auto const& r :
         std::vector<row>{{{"SERVICE_CHECK_TTL=30"}, false},
                          {{"SERVICE_CHECK_TTL=0s"}, false},
                          {{"SERVICE_CHECK_SCRIPT='"}, false},
                          {{"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_INTERVAL=15"}, true},
                          {{"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_TIMEOUT=soon"}, true},
                          {{"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_INITIAL_STATUS=ok"}, true},
                          {{"SERVICE_CHECK_TCP=true", "SERVICE_CHECK_DEREGISTER=true"}, true},
                          {{"SERVICE_CHECK_HTTP=/", "SERVICE_CHECK_HEADER={"}, true},
                          {{"SERVICE_CHECK_HTTP=/", "SERVICE_CHECK_HEADER=[1]"}, true},
                          {{"SERVICE_CHECK_HTTP=/", "SERVICE_CHECK_HEADER={\"a\":[1]}"}, true}}) {
        auto const found = read(r.env);
        CAPTURE(r.env.back());
        CHECK(found.check.has_value() == r.kept);
        REQUIRE(found.notes.size() == 1);
        CHECK(found.notes[0].text.find("SERVICE_CHECK_") != std::string::npos);
    }
}
