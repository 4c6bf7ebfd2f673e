#include "mesh/cli/verify_view.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

bool contains(std::vector<std::string> const& list, std::string const& word) {
    return std::ranges::find(list, word) != list.end();
}

look look_of(std::string const& status) {
    if (status == "working") return look::good;
    if (status == "warning" || status == "unknown") return look::warning;
    return look::bad;
}

/// The matrix has room for a few words: the kinds of issues, each once.
std::string titles_of(json const& issues) {
    std::vector<std::string> told;
    for (auto const& issue : issues) {
        auto text = text_at(issue, "code") + " " + text_at(issue, "title");
        if (!contains(told, text)) told.push_back(std::move(text));
    }
    std::string all;
    for (auto const& text : told)
        all += (all.empty() ? "" : ", ") + text;
    return all;
}

std::string first_remedy(json const& issues) {
    if (!issues.is_array() || issues.empty()) return {};
    auto text = text_at(issues.front(), "remedy");
    return issues.size() == 1 ? text : text + " ...";
}

std::string counted(std::uint64_t n, std::string const& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string draw_details(json const& selected, page const& on) {
    std::string drawn;
    for (auto const& row : member_at(selected, "rows"))
        for (auto const& issue : member_at(row, "issues")) {
            bool const error = text_at(issue, "severity") == "error";
            drawn += paint({text_at(issue, "code"), error ? look::bad : look::warning}, on) + " " +
                     printable(text_at(issue, "text")) + "\n       " +
                     paint({text_at(issue, "remedy"), look::muted}, on) + "\n";
        }
    return drawn;
}

}  // namespace

std::vector<std::string> const& verify_categories() {
    static std::vector<std::string> const all{"nodes",    "consul",   "docker",
                                              "networks", "services", "names"};
    return all;
}

json select_rows(json const& answer, verify_filter const& filter) {
    json rows = json::array();
    std::uint64_t errors = 0;
    std::uint64_t warnings = 0;
    for (auto const& row : member_at(answer, "rows")) {
        auto const category = text_at(row, "category");
        if (!filter.only.empty() && !contains(filter.only, category)) continue;
        if (contains(filter.skip, category)) continue;
        for (auto const& issue : member_at(row, "issues"))
            ++(text_at(issue, "severity") == "error" ? errors : warnings);
        rows.push_back(row);
    }
    return {{"healthy", errors == 0},
            {"asked_on", text_at(answer, "asked_on")},
            {"errors", errors},
            {"warnings", warnings},
            {"rows", std::move(rows)}};
}

std::string draw_verify(json const& selected, page const& on) {
    table matrix({"Component", "Node", "Status", "Issues", "Recommendations"});
    for (auto const& row : member_at(selected, "rows")) {
        auto const status = text_at(row, "status");
        auto const& issues = member_at(row, "issues");
        matrix.add({{text_at(row, "component")},
                    {text_at(row, "node")},
                    {status, look_of(status)},
                    {titles_of(issues)},
                    {first_remedy(issues), look::muted}});
    }
    auto drawn = matrix.empty() ? std::string() : matrix.draw(on);
    if (auto const details = draw_details(selected, on); !details.empty()) drawn += "\n" + details;
    auto const errors = number_at(selected, "errors");
    auto const warnings = number_at(selected, "warnings");
    auto const rows = member_at(selected, "rows").size();
    drawn += "\n" + counted(rows, "check") + " as seen from " +
             printable(text_at(selected, "asked_on")) + ": ";
    if (errors + warnings == 0) return drawn + paint({"all well", look::good}, on) + "\n";
    return drawn + counted(errors, "error") + ", " + counted(warnings, "warning") + "\n";
}

}  // namespace bevmesh::cli
