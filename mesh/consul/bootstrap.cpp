#include "mesh/consul/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace bevmesh::consul {
namespace {

constexpr std::array roles{token_role::daemon, token_role::agent, token_role::dns};
char const* const mark = "bevmesh: ";  // opens the description of each of our tokens

std::string policy_name(token_slot const& of) {
    switch (of.role) {
        case token_role::agent:
            return "bevmesh-agent-" + of.node;
        case token_role::daemon:
            return "bevmesh-daemon-" + of.node;
        case token_role::dns:
            return "bevmesh-dns";
    }
    return {};
}

std::string description_of(token_slot const& of) {
    return mark + std::string(name(of.role)) + " on " + of.node;
}

acl_policy wanted_policy(token_slot const& of, policy_templates const& shipped) {
    acl_policy p;
    p.name = policy_name(of);
    p.description =
        "made by bevmesh consul bootstrap from " + std::string(name(of.role)) + "-policy.hcl";
    p.rules = rules_for(of.role == token_role::agent    ? shipped.agent
                        : of.role == token_role::daemon ? shipped.daemon
                                                        : shipped.dns,
                        of.node);
    return p;
}

policy_step step_for(acl_policy wanted, acl_facts const& facts) {
    policy_step step;
    auto const found = facts.policies.find(wanted.name);
    step.wanted = std::move(wanted);
    if (found == facts.policies.end()) {
        step.diff = diff_lines("", step.wanted.rules);
        return step;
    }
    step.wanted.id = found->second.id;
    bool const same = found->second.rules == step.wanted.rules;
    step.what = same ? step_kind::unchanged : step_kind::update;
    if (!same) step.diff = diff_lines(found->second.rules, step.wanted.rules);
    return step;
}

/// What the token may that it should not, or the other way round; empty: as it should be.
std::string drift(acl_token const& is, acl_token const& wanted) {
    if (is.policies == wanted.policies && is.other_rights.empty()) return {};
    std::string has;
    for (auto const* const part : {&is.policies, &is.other_rights})
        for (auto const& one : *part)
            has += (has.empty() ? "" : ", ") + one;
    return "its rights are " + (has.empty() ? "none" : has) + "; only " + wanted.policies.front() +
           " is wanted";
}

acl_token const* described(std::vector<acl_token> const& tokens, std::string const& text) {
    auto const found = std::ranges::find(tokens, text, &acl_token::description);
    return found == tokens.end() ? nullptr : &*found;
}

token_step step_for(token_slot const& slot, acl_facts const& facts) {
    token_step step;
    step.slot = slot;
    step.wanted.description = description_of(slot);
    step.wanted.policies = {policy_name(slot)};
    auto const file = facts.files.find(slot);
    bool const has_file = file != facts.files.end();
    if (has_file && !file->second.accessor.empty()) {
        auto const& is = file->second;
        step.wanted.accessor = is.accessor;
        if (is.description != step.wanted.description) {
            step.what = step_kind::refuse;
            step.why = "the file holds token " + is.accessor + " (" + is.description +
                       "), which is not this one; move it away";
            return step;
        }
        step.why = drift(is, step.wanted);
        step.what = step.why.empty() ? step_kind::unchanged : step_kind::update;
        return step;
    }
    if (auto const* const is = described(facts.tokens, step.wanted.description)) {
        step.wanted.accessor = is->accessor;
        step.what = step_kind::restore;
        step.why = has_file ? "Consul does not know the token in the file" : "its file is not here";
        if (auto const wrong = drift(*is, step.wanted); !wrong.empty()) step.why += "; " + wrong;
        return step;
    }
    if (has_file) step.why = "Consul does not know the token in the file";
    return step;
}

/// Tokens that were made for nodes that are no more, or twice.
std::vector<std::string> notes_on(std::vector<token_step> const& steps, acl_facts const& facts) {
    std::set<std::string> in_use;
    for (auto const& step : steps)
        in_use.insert(step.wanted.accessor);
    std::vector<std::string> notes;
    for (auto const& token : facts.tokens)
        if (token.description.starts_with(mark) && !in_use.contains(token.accessor))
            notes.push_back("token " + token.accessor + " (" + token.description +
                            ") is not needed: consul acl token delete -accessor-id " +
                            token.accessor);
    return notes;
}

}  // namespace

std::string_view name(token_role role) noexcept {
    switch (role) {
        case token_role::agent:
            return "agent";
        case token_role::daemon:
            return "daemon";
        case token_role::dns:
            return "dns";
    }
    return "";
}

std::string rules_for(std::string_view shipped, std::string const& node) {
    constexpr std::string_view placeholder = "\"NODE\"";
    std::string rules;
    for (auto line : lines_of(without_comments(shipped))) {
        for (auto at = line.find(placeholder); at != std::string::npos; at = line.find(placeholder))
            line.replace(at, placeholder.size(), "\"" + node + "\"");
        rules += line + "\n";
    }
    return rules;
}

std::vector<std::string> policy_names(std::vector<std::string> const& nodes) {
    std::vector<std::string> names{policy_name({"", token_role::dns})};
    for (auto const& node : nodes)
        for (auto const role : {token_role::daemon, token_role::agent})
            names.push_back(policy_name({node, role}));
    return names;
}

bootstrap_plan plan_bootstrap(std::vector<std::string> const& nodes,
                              policy_templates const& shipped, acl_facts const& facts) {
    bootstrap_plan plan;
    plan.policies.push_back(step_for(wanted_policy({"", token_role::dns}, shipped), facts));
    for (auto const& node : nodes) {
        for (auto const role : {token_role::daemon, token_role::agent})
            plan.policies.push_back(step_for(wanted_policy({node, role}, shipped), facts));
        for (auto const role : roles)
            plan.tokens.push_back(step_for({node, role}, facts));
    }
    if (!plan.refused()) plan.notes = notes_on(plan.tokens, facts);
    return plan;
}

std::size_t bootstrap_plan::changes() const {
    auto const is_change = [](auto const& step) { return step.what != step_kind::unchanged; };
    return static_cast<std::size_t>(std::ranges::count_if(policies, is_change) +
                                    std::ranges::count_if(tokens, is_change));
}

bool bootstrap_plan::refused() const {
    return std::ranges::any_of(tokens,
                               [](auto const& step) { return step.what == step_kind::refuse; });
}

nlohmann::json to_json(bootstrap_plan const& plan) {
    using nlohmann::json;
    json policies = json::array();
    for (auto const& step : plan.policies) {
        json diff = json::array();
        for (auto const& line : step.diff)
            diff.push_back(marked(line));
        policies.push_back(
            {{"name", step.wanted.name}, {"action", name(step.what)}, {"diff", std::move(diff)}});
    }
    json tokens = json::array();
    for (auto const& step : plan.tokens)
        tokens.push_back({{"node", step.slot.node},
                          {"role", name(step.slot.role)},
                          {"action", name(step.what)},
                          {"accessor", step.wanted.accessor},
                          {"policies", step.wanted.policies},
                          {"why", step.why}});
    return {{"policies", std::move(policies)},
            {"tokens", std::move(tokens)},
            {"notes", plan.notes},
            {"changes", plan.changes()}};
}

}  // namespace bevmesh::consul
