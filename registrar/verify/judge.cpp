#include "registrar/verify/judge.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::registrar::verify {
namespace {

/// What the reader must know first.
int weight(standing s) {
    switch (s) {
        case standing::working:
            return 0;
        case standing::warning:
            return 1;
        case standing::unknown:
            return 2;
        case standing::missing:
            return 3;
        case standing::failing:
            return 4;
    }
    return 0;
}

}  // namespace

std::string instance_key(std::string const& service, std::size_t index) {
    return service + "#" + std::to_string(index);
}

void add(row& to, code c, std::string text, std::string remedy, standing status) {
    to.findings.push_back({c, std::move(text), std::move(remedy)});
    if (weight(status) > weight(to.status)) to.status = status;
}

void add(row& to, code c, std::string text, std::string remedy) {
    bool const is_error = meaning_of(c).level == severity::error;
    add(to, c, std::move(text), std::move(remedy),
        is_error ? standing::failing : standing::warning);
}

std::vector<row> judge(mesh_config const& config, mesh_facts const& facts) {
    std::vector<row> rows;
    for (auto const part : {judge_nodes, judge_networks, judge_services, judge_names})
        std::ranges::move(part(config, facts), std::back_inserter(rows));
    return rows;
}

nlohmann::json to_json(std::vector<row> const& rows, std::string const& asked_on) {
    using nlohmann::json;
    std::size_t errors = 0;
    std::size_t warnings = 0;
    json lines = json::array();
    for (auto const& r : rows) {
        json issues = json::array();
        for (auto const& f : r.findings) {
            auto const& of = meaning_of(f.code);
            ++(of.level == severity::error ? errors : warnings);
            issues.push_back({{"code", text_of(f.code)},
                              {"severity", name(of.level)},
                              {"title", of.title},
                              {"text", f.text},
                              {"remedy", f.remedy}});
        }
        lines.push_back({{"component", r.component},
                         {"node", r.node},
                         {"category", name(r.category)},
                         {"status", name(r.status)},
                         {"issues", std::move(issues)}});
    }
    return {{"healthy", errors == 0},
            {"asked_on", asked_on},
            {"errors", errors},
            {"warnings", warnings},
            {"rows", std::move(lines)}};
}

}  // namespace bevmesh::registrar::verify
