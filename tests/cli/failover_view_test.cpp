// `bevmesh failover` as people see it.
#include "mesh/cli/failover_view.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

namespace bevmesh::cli {

using nlohmann::json;

TEST_CASE("a member that does not answer is not shown as the primary that it was") {
    json const lost{{"node", "thanos"}, {"role", "primary"}, {"answers", false}, {"at", 7}};
    json const serving{{"node", "oracle1"}, {"role", "primary"}, {"answers", true},
                       {"condition", "ok"}, {"serving", true},   {"at", 9}};
    json const group{{"group", "redis"},
                     {"kind", "redis"},
                     {"lease", {{"seen", true}, {"holder", "oracle1"}, {"state", "held"}}},
                     {"members", {serving, lost}}};
    json const answer{{"groups", {group}}};
    auto const drawn = draw_failover_status(answer, page{});
    CHECK(drawn.find("oracle1  primary  serving") != std::string::npos);
    CHECK(drawn.find("thanos   -        no answer") != std::string::npos);
}

}  // namespace bevmesh::cli
