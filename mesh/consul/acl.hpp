// Consul's ACL policies and tokens as values, and their JSON. Pure.
//
// Field names follow Consul's (api-docs/acl/policies, api-docs/acl/tokens). Every decode is
// errc::bad_answer when the document is not what Consul documents. A secret goes from the document
// into a `secret` and nowhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::consul {

struct acl_policy {
    std::string id;    // empty: not made yet
    std::string name;  // A-Z, a-z, 0-9, - and _, at most 128
    std::string description;
    std::string rules;  // HCL, as it was written; absent in lists

    friend bool operator==(acl_policy const&, acl_policy const&) = default;
};

struct acl_token {
    std::string accessor;  // AccessorID; empty: not made yet
    std::string description;
    std::vector<std::string> policies;  // names, sorted
    /// Other sources of rights (roles, service, node and templated identities), for people.
    std::vector<std::string> other_rights;
    secret secret_id;  // empty in lists

    friend bool operator==(acl_token const&, acl_token const&) = default;
};

/// The bodies of PUT /v1/acl/policy[/ID] and PUT /v1/acl/token[/ACCESSOR]. A token's secret is
/// Consul's to choose.
[[nodiscard]] std::string encode_policy(acl_policy const& policy);
[[nodiscard]] std::string encode_token(acl_token const& token);

[[nodiscard]] result<acl_policy> decode_policy(std::string_view document);
[[nodiscard]] result<acl_token> decode_acl_token(std::string_view document);
[[nodiscard]] result<std::vector<acl_policy>> decode_policies(std::string_view document);
/// Without their secrets, which Consul shows to whoever may write ACLs.
[[nodiscard]] result<std::vector<acl_token>> decode_tokens(std::string_view document);

/// What a Consul agent is given in its configuration: {"acl": {"tokens": {"agent", "dns"}}}. An
/// empty one is left out, and absent when read.
struct agent_tokens {
    secret agent;
    secret dns;
};
[[nodiscard]] secret encode_agent_tokens(agent_tokens const& tokens);
[[nodiscard]] result<agent_tokens> decode_agent_tokens(std::string_view document);

/// What a failed ACL call means, beyond its HTTP status. Consul says it in words only.
enum class acl_trouble {
    other,
    disabled,       // the agent has acl.enabled = false
    unknown_token,  // "ACL not found"
    denied,         // the token lacks acl = "write"
    bootstrapped,   // PUT /v1/acl/bootstrap was done before
    no_leader,
};
[[nodiscard]] acl_trouble classify(failure const& f);

}  // namespace bevmesh::consul
