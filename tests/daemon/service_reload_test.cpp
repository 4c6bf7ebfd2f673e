// Who is told of another certificate, and who must not be: the calls that a service's `tls`
// becomes.
#include "mesh/daemon/service_reload.hpp"

#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;
using boost::asio::awaitable;

namespace {

service_config service_with(std::string recipe) {
    service_config service;
    service.name = "db";
    service.tls.recipe = std::move(recipe);
    service.tls.folder = "/etc/db";
    service.instances.resize(1);
    service.instances.front().nodes = {"n1"};
    service.instances.front().port = 1;
    service.instances.front().match.container = "db1";
    return service;
}

result<void> is_primary() {
    return failure{errc::conflict, "db is the primary of its group here: move it first"};
}

awaitable<void> into(result<void>* done, awaitable<result<void>> of) {
    *done = co_await std::move(of);
}

/// A node whose engine is away: what is asked of it fails, and says so.
class node {
public:
    node() {
        docker_config away;
        away.address = "unix:///nonexistent/docker.sock";
        auto made = docker::make_client(loop.get_executor(), away);
        REQUIRE(made.has_value());
        engine = std::move(*made);
    }
    result<void> outcome_of(awaitable<result<void>> of) {
        result<void> done;
        testing::run(loop, into(&done, std::move(of)));
        return done;
    }
    reload_case with(service_config const& service) {
        return {service, "n1", "127.0.0.1", *engine, {}, is_primary, {}, nullptr};
    }

    boost::asio::io_context loop{1};
    std::unique_ptr<docker::client> engine;
};

}  // namespace

TEST_CASE("a primary is not restarted for a certificate, and none is made that would need it") {
    node n;
    auto const service = service_with("restart");
    auto here = n.with(service);
    auto const ready = n.outcome_of(ready_of(here)());
    REQUIRE(ready.has_error());
    CHECK(ready.error().doing == is_primary().error().doing);
    for (auto const what : {certs::change::pair, certs::change::bundle}) {
        auto const call = reload_of(here, what);
        REQUIRE(call.has_value());
        auto const told = n.outcome_of((*call)(certs::dates::checked));
        REQUIRE(told.has_error());
        CHECK(told.error().doing == is_primary().error().doing);
    }
    // Of one that is none the engine is asked.
    here.may_restart = []() -> result<void> { return {}; };
    CHECK(n.outcome_of(ready_of(here)()).has_value());
    auto const told = n.outcome_of((*reload_of(here, certs::change::pair))(certs::dates::checked));
    REQUIRE(told.has_error());
    CHECK(told.error().code == errc::unreachable);
}

TEST_CASE("a primary that can be told without a restart is told") {
    node n;
    auto service = service_with("exec");
    service.tls.command = {"true"};
    auto const here = n.with(service);
    CHECK(n.outcome_of(ready_of(here)()).has_value());
    auto const call = reload_of(here, certs::change::pair);
    REQUIRE(call.has_value());
    CHECK(n.outcome_of((*call)(certs::dates::checked)).has_value());
}

TEST_CASE("nothing is restarted while an instance on another node is away") {
    node n;
    auto const service = service_with("restart");
    auto here = n.with(service);
    here.may_restart = []() -> result<void> { return {}; };
    here.others = {{"127.0.0.1", 1, certs::greeting::none}};
    auto const ready = n.outcome_of(ready_of(here)());
    REQUIRE(ready.has_error());
    CHECK(ready.error().code == errc::conflict);
    CHECK(ready.error().doing.starts_with("one is restarted at a time"));
}

TEST_CASE("what a recipe needs and the service has not is named") {
    node n;
    auto const service = service_with("docker_exec");
    auto const call = reload_of(n.with(service), certs::change::pair);
    REQUIRE(call.has_error());
    CHECK(call.error().code == errc::bad_input);
    CHECK(call.error().doing == "recipe docker_exec needs command");
}
