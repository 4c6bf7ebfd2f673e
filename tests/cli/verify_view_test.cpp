// The matrix as it is drawn, and what the filter leaves of it.
#include "mesh/cli/verify_view.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh::cli;
using nlohmann::json;

namespace {

json issue(std::string const& code, std::string const& severity) {
    return {{"code", code},
            {"severity", severity},
            {"title", "title of " + code},
            {"text", "what \x1b[31mis\n wrong"},
            {"remedy", "do something"}};
}

json const answer{
    {"asked_on", "thanos"},
    {"rows",
     {{{"component", "daemon"},
       {"node", "oracle1"},
       {"category", "nodes"},
       {"status", "working"},
       {"issues", json::array()}},
      {{"component", "redis"},
       {"node", "thanos"},
       {"category", "services"},
       {"status", "failing"},
       {"issues", {issue("BEV506", "error"), issue("BEV506", "error"), issue("BEV504", "error")}}},
      {{"component", "names"},
       {"node", "thanos"},
       {"category", "names"},
       {"status", "warning"},
       {"issues", {issue("BEV603", "warning")}}}}}};

}  // namespace

TEST_CASE("the matrix has a line for each component, then each issue with its remedy") {
    auto const drawn = draw_verify(select_rows(answer, {}), {});
    std::size_t at = 0;
    for (auto const* title : {"Component", "Node", "Status", "Issues", "Recommendations"}) {
        INFO(title);
        at = drawn.find(title, at);
        CHECK(at < drawn.find('\n'));
    }
    CHECK(
        drawn.find("redis      thanos   failing  BEV506 title of BEV506, BEV504 title of BEV504") !=
        std::string::npos);
    CHECK(drawn.find("daemon     oracle1  working  -") != std::string::npos);
    CHECK(drawn.find("BEV603 what \\x1b[31mis\\n wrong\n       do something\n") !=
          std::string::npos);
    CHECK(drawn.find("3 checks as seen from thanos: 3 errors, 1 warning\n") != std::string::npos);
}

TEST_CASE("categories are let through or left out, and what is left is counted") {
    auto const names = select_rows(answer, {{"names"}, {}});
    CHECK(names["rows"].size() == 1);
    CHECK(names["healthy"] == true);
    CHECK(names["warnings"] == 1);
    auto const others = select_rows(answer, {{}, {"names", "nodes"}});
    CHECK(others["rows"].size() == 1);
    CHECK(others["healthy"] == false);
    CHECK(draw_verify(select_rows(answer, {{"nodes"}, {}}), {}).find("all well") !=
          std::string::npos);
}
