// What the registrar asks of an agent and an engine that answer as no good ones do.
#include "registrar/driver.hpp"

#include <algorithm>

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;

namespace {

constexpr auto own_entry = "/v1/agent/service/thanos%3Abevmesh";

struct node {
    node() {
        config.nodes["thanos"].address = "127.0.0.1";
        consul_config at;
        at.address = agent_double.address();
        auto const executor = agent_double.loop.get_executor();
        auto as = consul::identity::make(at, "", {}).value();
        agent = std::move(consul::make_client(executor, at, as, secret("t0ken")).value());
        docker_config nowhere;
        nowhere.address = "unix:///nowhere/docker.sock";
        engine = std::move(docker::make_client(agent_double.loop.get_executor(), nowhere).value());
    }

    [[nodiscard]] auto asked_for_own_entry() const {
        return std::ranges::count_if(agent_double.asked, [](net::http_request const& r) {
            return r.target.starts_with(own_entry);
        });
    }

    /// Runs the driver until it has asked `count` times for its own entry; how long that took.
    nanoseconds until_asked(std::ptrdiff_t count) {
        auto const executor = agent_double.loop.get_executor();
        auto const probes = registrar::make_prober(executor);
        registrar::reconciler core(config, "thanos", 1);
        registrar::driver driver(executor, core, *engine, *agent, *probes);
        net::task_group group(executor, nullptr);
        auto const began = net::now();
        group.spawn(driver.run(), "driver");
        auto const watch = [](node* self, net::task_group& running,
                              std::ptrdiff_t wanted) -> awaitable<void> {
            milliseconds const often{2};
            while (self->asked_for_own_entry() < wanted)
                co_await net::sleep_for(often);
            running.cancel();
            co_await running.join();
        };
        run(agent_double.loop, watch(this, group, count));
        return net::now() - began;
    }

    mesh_config config;
    api_double agent_double;
    std::unique_ptr<consul::client> agent;
    std::unique_ptr<docker::client> engine;
};

}  // namespace

TEST_CASE("an agent that does not hold the query on our entry is asked at a bounded rate") {
    node n;
    auto const entry = R"({"ID": "thanos:bevmesh", "Service": "bevmesh", "Port": 0})";
    n.agent_double.on(std::string("GET ") + own_entry, 200, entry,
                      {{"X-Consul-ContentHash", "abc"}});
    n.agent_double.on(std::string("GET ") + own_entry + "?hash=abc&wait=300s", 200, entry,
                      {{"X-Consul-ContentHash", "abc"}});
    // Two at once, then one in 100 ms.
    CHECK(n.until_asked(6) >= milliseconds(390));
    CHECK(std::ranges::any_of(n.agent_double.asked, [](net::http_request const& r) {
        return r.target.ends_with("?hash=abc&wait=300s");
    }));
}
