#include "mesh/cli/maintenance_plan.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

bool is_answered(json const& instance) {
    auto const status = text_at(instance, "status");
    return status == "passing" || status == "warning";
}

std::string describe_instance(json const& i) {
    return text_at(i, "id") + " at " +
           address_and_port(text_at(i, "address"), number_at(i, "port")) + ", " +
           text_at(i, "status");
}

/// Ours in the catalog: by ID and node.
json const* find_instance(json const& answer, std::string const& id, std::string const& node) {
    for (auto const& s : member_at(answer, "services"))
        for (auto const& i : member_at(s, "instances"))
            if (text_at(i, "id") == id && text_at(i, "node") == node) return &i;
    return nullptr;
}

/// Instances of the services called `names` that answer in DNS and are not among `ids` of this
/// node.
std::size_t others_answering(json const& answer, std::set<std::string> const& names,
                             std::set<std::string> const& ids, std::string const& node) {
    std::size_t n = 0;
    for (auto const& s : member_at(answer, "services")) {
        if (!names.contains(text_at(s, "name"))) continue;
        for (auto const& i : member_at(s, "instances")) {
            bool const ours = text_at(i, "node") == node && ids.contains(text_at(i, "id"));
            n += static_cast<std::size_t>(!ours && is_answered(i));
        }
    }
    return n;
}

}  // namespace

maintenance_plan plan_maintenance(maintenance_wish const& wish, json const& answer,
                                  std::string const& this_node) {
    maintenance_plan plan;
    std::set<std::string> ids;
    std::set<std::string> names;
    std::vector<std::string> found;
    for (auto const& l : member_at(answer, "local")) {
        auto const id = text_at(l, "id");
        if (id != wish.service && text_at(l, "name") != wish.service) continue;
        ids.insert(id);
        names.insert(text_at(l, "name"));
        auto const* seen = find_instance(answer, id, this_node);
        found.push_back("  " + printable(seen != nullptr ? describe_instance(*seen)
                                                         : id + ", not in Consul (" +
                                                               text_at(l, "phase") + ")"));
    }
    plan.instances.assign(ids.begin(), ids.end());
    if (ids.empty()) return plan;
    plan.lines.push_back(printable(wish.service + " on " + this_node +
                                   (wish.on ? ": into maintenance" : ": out of maintenance")));
    plan.lines.insert(plan.lines.end(), found.begin(), found.end());
    if (!wish.on) return plan;
    if (!wish.reason.empty()) plan.lines.push_back("  reason: " + printable(wish.reason));
    auto const others = others_answering(answer, names, ids, this_node);
    plan.last = others == 0;
    plan.lines.push_back(plan.last ? "  no other instance answers: the name will resolve to nothing"
                                   : "  answered by " + std::to_string(others) +
                                         (others == 1 ? " other instance" : " other instances"));
    return plan;
}

}  // namespace bevmesh::cli
