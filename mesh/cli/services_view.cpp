#include "mesh/cli/services_view.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

auto order_of_instance(json const& i) {
    return std::tuple(text_at(i, "node"), text_at(i, "address"), number_at(i, "port"),
                      text_at(i, "id"));
}

auto order_of_service(json const& s) {
    return text_at(s, "name");
}

auto order_of_local(json const& l) {
    return std::tuple(text_at(l, "name"), text_at(l, "id"));
}

template <class Key>
json sorted(std::vector<json> items, Key key) {
    std::ranges::stable_sort(items, {}, key);
    return json(std::move(items));
}

bool passes(std::string const& wanted, std::string const& value) {
    return wanted.empty() || wanted == value;
}

/// "2/3"; nothing when there is none.
cell passing_checks(json const& instance) {
    std::size_t passing = 0;
    auto const& checks = member_at(instance, "checks");
    if (checks.empty()) return {};
    for (auto const& c : checks)
        passing += static_cast<std::size_t>(text_at(c, "status") == "passing");
    return {std::to_string(passing) + "/" + std::to_string(checks.size()),
            passing == checks.size() ? look::plain : look::warning};
}

/// A stand-in says so before anything else.
std::string tags_of(json const& instance) {
    auto tags = texts_at(instance, "tags");
    std::ranges::stable_partition(tags, [](auto const& tag) { return tag == "stand-in"; });
    std::string all;
    for (auto const& tag : tags)
        all += (all.empty() ? "" : ", ") + tag;
    return all;
}

template <class Row>
void for_each_instance(json const& selected, Row row) {
    for (auto const& service : member_at(selected, "services"))
        for (auto const& instance : member_at(service, "instances"))
            row(text_at(service, "name"), instance);
}

std::string draw_instances(json const& selected, page const& on) {
    table t({"NAME", "INSTANCE", "NODE", "ADDRESS", "STATUS", "CHECKS", "TAGS"});
    for_each_instance(selected, [&](std::string const& name, json const& i) {
        auto const status = text_at(i, "status");
        t.add({{name},
               {text_at(i, "id")},
               {text_at(i, "node")},
               {address_and_port(text_at(i, "address"), number_at(i, "port"))},
               {status, look_of_status(status)},
               passing_checks(i),
               {tags_of(i), look::muted}});
    });
    return t.empty() ? std::string() : t.draw(on);
}

std::string draw_checks(json const& selected, page const& on) {
    table t({"CHECK", "INSTANCE", "NODE", "STATUS", "OUTPUT"});
    for_each_instance(selected, [&](std::string const&, json const& i) {
        for (auto const& c : member_at(i, "checks")) {
            auto const status = text_at(c, "status");
            auto const output = text_at(c, "output");
            t.add({{text_at(c, "name")},
                   {text_at(i, "id")},
                   {text_at(i, "node")},
                   {status, look_of_status(status)},
                   {output.empty() ? text_at(c, "notes") : output}});
        }
    });
    return t.empty() ? std::string() : t.draw(on);
}

std::string draw_local(json const& selected, page const& on) {
    table t({"NOT ANNOUNCED HERE", "INSTANCE", "CONTAINER", "SOURCE", "PHASE", "DETAIL"});
    for (auto const& l : member_at(selected, "local")) {
        auto const phase = text_at(l, "phase");
        if (phase == "announced") continue;
        t.add({{text_at(l, "name")},
               {text_at(l, "id")},
               {text_at(l, "container")},
               {text_at(l, "source")},
               {phase, look_of_status(phase)},
               {text_at(l, "detail")}});
    }
    return t.empty() ? std::string() : t.draw(on);
}

}  // namespace

json select_services(json const& answer, services_filter const& filter) {
    std::vector<json> services;
    for (auto const& service : member_at(answer, "services")) {
        std::vector<json> instances;
        for (auto const& i : member_at(service, "instances"))
            if (passes(filter.node, text_at(i, "node")) &&
                passes(filter.status, text_at(i, "status")))
                instances.push_back(i);
        if (instances.empty()) continue;
        json kept = service;
        kept["instances"] = sorted(std::move(instances), order_of_instance);
        services.push_back(std::move(kept));
    }
    std::vector<json> local;
    for (auto const& l : member_at(answer, "local"))
        if (passes(filter.node, filter.this_node) && passes(filter.status, text_at(l, "phase")))
            local.push_back(l);
    json selected;
    selected["services"] = sorted(std::move(services), order_of_service);
    selected["local"] = sorted(std::move(local), order_of_local);
    return selected;
}

std::string draw_services(json const& selected, bool checks, page const& on) {
    std::string drawn;
    for (auto const& part :
         {draw_instances(selected, on), checks ? draw_checks(selected, on) : std::string(),
          draw_local(selected, on)})
        if (!part.empty()) drawn += (drawn.empty() ? "" : "\n") + part;
    return drawn;
}

std::vector<std::string> service_names(json const& answer) {
    std::set<std::string> names;
    for (auto const* part : {"services", "local"})
        for (auto const& s : member_at(answer, part))
            names.insert(text_at(s, "name"));
    return {names.begin(), names.end()};
}

}  // namespace bevmesh::cli
