// `bevmesh vault bootstrap` decided: what a mesh needs of Vault, and what is to do about what is
// there. Pure.
//
// A root and an intermediate, a PKI role and an AppRole for each node with names and rights of its
// own, the policies that are shipped, and the paths of the mesh's secrets. What is as it should be
// stays; a mount that is of another type is left alone, and then nothing is done at all. A node
// that has a secret ID gets no other one unasked: it makes its own.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "mesh/base/config.hpp"
#include "mesh/base/line_diff.hpp"
#include "mesh/base/plan_step.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::vault {

/// The shipped rules; words in capitals in them stand for what the configuration names.
struct policy_templates {
    std::string node;
    std::string secret;
    std::string ca_operator;
};

/// What there is: the "data" of each document that documents_of() names, where there is one.
struct setup_facts {
    std::map<std::string, nlohmann::json> documents;
    std::map<std::string, std::size_t> secret_ids;  // by node: how many live ones
};

/// How a step is done.
enum class setup_call {
    write,         // `method` `path` with `body`
    root,          // the first root is made
    intermediate,  // the first intermediate is made and signed
    credentials,   // the node's role ID and a secret ID are put into its files
};

struct setup_step {
    step_kind what = step_kind::create;
    setup_call how = setup_call::write;
    std::string label;  // "policy bevmesh-node-thanos"
    std::string method = "POST";
    std::string path;
    nlohmann::json body;
    std::vector<diff_line> diff;
    std::string why;
    std::string node;  // of credentials
};

struct setup_plan {
    std::vector<setup_step> steps;  // in the order in which they are done
    std::vector<std::string> notes;

    [[nodiscard]] std::size_t changes() const;
    [[nodiscard]] bool refused() const;
};

/// The paths that plan_setup() wants to know, to be read as they are.
[[nodiscard]] std::vector<std::string> documents_of(mesh_config const& mesh);

/// `renew`: nodes that get another secret ID although they have one.
[[nodiscard]] setup_plan plan_setup(mesh_config const& mesh, policy_templates const& shipped,
                                    setup_facts const& facts, std::set<std::string> const& renew);

/// What the PKI role `role` allows, with the nodes whose role it is; the names of certificates.
[[nodiscard]] nlohmann::json role_document(mesh_config const& mesh, std::string const& role);
[[nodiscard]] std::string node_policy(mesh_config const& mesh, std::string const& node,
                                      policy_templates const& shipped);

/// For --format json; nothing in it is secret.
[[nodiscard]] nlohmann::json to_json(setup_plan const& plan);

/// How long a root and an intermediate are good for: ten years, and three.
inline constexpr seconds root_life{87'600LL * 3'600};
inline constexpr seconds intermediate_life{26'280LL * 3'600};

inline constexpr char const* ca_operator_policy_name = "bevmesh-ca-operator";

}  // namespace bevmesh::vault
