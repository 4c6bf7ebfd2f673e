// One instance of a service is restarted at a time, over all nodes.
#include "mesh/daemon/restart_turn.hpp"

#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
using daemon::restart_turn;

namespace {

constexpr auto read_key = "GET /v1/kv/bevmesh/restart/neo4j?consistent";
// {"node":"oracle1","until":"2999-01-01T00:00:00Z"}
constexpr auto taken = R"([{"Key":"bevmesh/restart/neo4j","ModifyIndex":7,"Value":
"eyJub2RlIjoib3JhY2xlMSIsInVudGlsIjoiMjk5OS0wMS0wMVQwMDowMDowMFoifQ=="}])";
// {"node":"oracle1","until":"2001-01-01T00:00:00Z"}
constexpr auto over = R"([{"Key":"bevmesh/restart/neo4j","ModifyIndex":7,"Value":
"eyJub2RlIjoib3JhY2xlMSIsInVudGlsIjoiMjAwMS0wMS0wMVQwMDowMDowMFoifQ=="}])";

struct node {
    node() {
        consul_config settings;
        settings.address = api.address();
        auto as = consul::identity::make(settings, "", nullptr).value();
        agent = std::move(
            consul::make_client(api.loop.get_executor(), settings, std::move(as), secret("t0ken"))
                .value());
        turn = std::make_unique<restart_turn>(*agent, "thanos");
    }
    result<void> take() { return call(api, turn->take("neo4j")); }
    /// What was asked for to be changed.
    std::vector<std::string> changes() const {
        std::vector<std::string> all;
        for (auto const& each : api.asked)
            if (each.method != "GET") all.push_back(each.method + " " + each.target);
        return all;
    }

    api_double api;
    std::unique_ptr<consul::client> agent;
    std::unique_ptr<restart_turn> turn;
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a turn that nobody has is taken, and given back as it was taken") {
    node n;
    n.api.on("PUT /v1/kv/bevmesh/restart/neo4j?cas=0", 200, "true");
    REQUIRE(n.take().has_value());
    CHECK(n.changes() == lines{"PUT /v1/kv/bevmesh/restart/neo4j?cas=0"});
    // A daemon that died has left one, which is over.
    n.api.on(read_key, 200, over);
    n.api.on("PUT /v1/kv/bevmesh/restart/neo4j?cas=7", 200, "true");
    REQUIRE(n.take().has_value());
    n.api.on("DELETE /v1/kv/bevmesh/restart/neo4j?cas=7", 200, "true");
    auto const give_back = [](restart_turn& turn) -> awaitable<result<void>> {
        std::string const service = "neo4j";
        co_await turn.give_back(service);
        co_return result<void>();
    };
    REQUIRE(call(n.api, give_back(*n.turn)).has_value());
    CHECK(n.changes().back() == "DELETE /v1/kv/bevmesh/restart/neo4j?cas=7");
}

TEST_CASE("while another node restarts its instance, this one waits and says for whom") {
    node n;
    n.api.on(read_key, 200, taken);
    auto const got = n.take();
    REQUIRE(got.has_error());
    CHECK(got.error().code == errc::conflict);
    CHECK(got.error().doing.find("oracle1") != std::string::npos);
    CHECK(n.changes().empty());
}

TEST_CASE("of two nodes that take it in the same moment, one does not get it") {
    node n;
    n.api.on("PUT /v1/kv/bevmesh/restart/neo4j?cas=0", 200, "false");
    auto const got = n.take();
    REQUIRE(got.has_error());
    CHECK(got.error().code == errc::conflict);
}

TEST_CASE("without Consul nobody waits for a turn") {
    node n;
    n.api.on(read_key, 500, "No cluster leader");
    CHECK(n.take().has_value());
    CHECK(n.changes().empty());
}
