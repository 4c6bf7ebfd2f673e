// How the local API reads names, queries and checks.
#include "mesh/daemon/api.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;

TEST_CASE("names are read as Consul's DNS reads them") {
    auto const check = [](std::string const& name, std::string const& service,
                          std::string const& tag) {
        auto const parsed = parse_dns_name(name, "consul");
        INFO(name);
        CHECK(parsed.service == service);
        CHECK(parsed.tag == tag);
    };
    check("redis", "redis", "");
    check("redis.service.consul", "redis", "");
    check("redis.service.consul.", "redis", "");
    check("redis.service.bev.consul", "redis", "");
    check("primary.redis.service.consul", "redis", "primary");
    check("primary.redis.service.bev.consul", "redis", "primary");
    check("service.service.consul", "service", "");
}

TEST_CASE("an instance is as well as its worst check, and maintenance goes before all") {
    auto const with = [](std::vector<consul::status> const& states) {
        std::vector<consul::agent_check> checks;
        for (auto const s : states) {
            consul::agent_check c;
            c.id = "c" + std::to_string(checks.size());
            c.status = s;
            checks.push_back(c);
        }
        return checks;
    };
    using consul::status;
    CHECK(overall({}) == status::passing);
    CHECK(overall(with({status::passing, status::warning})) == status::warning);
    CHECK(overall(with({status::critical, status::passing})) == status::critical);
    auto checks = with({status::critical});
    checks[0].id = "_service_maintenance:thanos:db:5432";
    CHECK(overall(checks) == status::maintenance);
    checks[0].id = "_node_maintenance";
    CHECK(overall(checks) == status::maintenance);
}
