// `bevmesh consul bootstrap` decided: which policies and tokens a mesh needs, and what is to do
// about those that are there. Pure.
//
// Each node has three tokens, each with one policy: for its Consul agent, for its daemon, and for
// the questions that its DNS answers (which have no token of their own). A token is found again by
// the secret in its file, else by its description; its rights are those of its policy and no
// others, whatever somebody added since. Nothing that is not ours by name is touched.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/line_diff.hpp"
#include "mesh/base/plan_step.hpp"
#include "mesh/consul/acl.hpp"

namespace bevmesh::consul {

enum class token_role { agent, daemon, dns };
[[nodiscard]] std::string_view name(token_role role) noexcept;

struct token_slot {
    std::string node;
    token_role role = token_role::daemon;

    friend auto operator<=>(token_slot const&, token_slot const&) = default;
};

/// The shipped rules; "NODE" in them stands for a node's name.
struct policy_templates {
    std::string agent;
    std::string daemon;
    std::string dns;
};

/// What there is already.
struct acl_facts {
    std::map<std::string, acl_policy> policies;  // by name; with rules where ours
    std::vector<acl_token> tokens;
    /// Of each token file that is there: what Consul says its secret is; without accessor: nothing.
    std::map<token_slot, acl_token> files;
};

using bevmesh::step_kind;

struct policy_step {
    step_kind what = step_kind::create;
    acl_policy wanted;  // with the ID of the one that is there
    std::vector<diff_line> diff;
};

struct token_step {
    step_kind what = step_kind::create;
    token_slot slot;
    acl_token wanted;  // with the accessor of the one that is there; without secret
    std::string why;   // for people; empty where there is nothing to say
};

struct bootstrap_plan {
    std::vector<policy_step> policies;
    std::vector<token_step> tokens;
    std::vector<std::string> notes;  // what it leaves for people to do

    [[nodiscard]] std::size_t changes() const;
    [[nodiscard]] bool refused() const;
};

/// The rules of a template: without comments, which are for its readers, with the node's name.
[[nodiscard]] std::string rules_for(std::string_view shipped, std::string const& node);

/// The names of all policies that plan_bootstrap() would want: those whose rules it must know.
[[nodiscard]] std::vector<std::string> policy_names(std::vector<std::string> const& nodes);

[[nodiscard]] bootstrap_plan plan_bootstrap(std::vector<std::string> const& nodes,
                                            policy_templates const& shipped,
                                            acl_facts const& facts);

/// For --format json; nothing in it is secret.
[[nodiscard]] nlohmann::json to_json(bootstrap_plan const& plan);

}  // namespace bevmesh::consul
