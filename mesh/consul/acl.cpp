#include "mesh/consul/acl.hpp"

#include <algorithm>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::consul {
namespace {

using json::value;

value const& list_of(value const& v, std::string_view what) {
    if (!v.is_array()) json::wrong(what, "a list");
    return v;
}

acl_policy read_policy(value const& v) {
    acl_policy p;
    p.id = json::text(v, "ID");
    p.name = json::text(v, "Name");
    p.description = json::text(v, "Description");
    p.rules = json::text(v, "Rules");
    if (p.id.empty()) json::wrong("ID", "a policy's ID");
    if (p.name.empty()) json::wrong("Name", "a policy's name");
    return p;
}

void add_names(std::vector<std::string>& names, value const& token, char const* kind,
               char const* key, std::string const& prefix) {
    auto const& all = json::member(token, kind);
    if (all.is_null()) return;
    for (auto const& one : list_of(all, kind))
        names.push_back(prefix + json::text(one, key));
}

acl_token read_listed_token(value const& v) {
    acl_token t;
    t.accessor = json::text(v, "AccessorID");
    t.description = json::text(v, "Description");
    add_names(t.policies, v, "Policies", "Name", "");
    std::ranges::sort(t.policies);
    add_names(t.other_rights, v, "Roles", "Name", "role ");
    add_names(t.other_rights, v, "ServiceIdentities", "ServiceName", "service identity ");
    add_names(t.other_rights, v, "NodeIdentities", "NodeName", "node identity ");
    add_names(t.other_rights, v, "TemplatedPolicies", "TemplateName", "template ");
    if (t.accessor.empty()) json::wrong("AccessorID", "an ID");
    return t;
}

}  // namespace

std::string encode_policy(acl_policy const& policy) {
    return json::dump(
        {{"Name", policy.name}, {"Description", policy.description}, {"Rules", policy.rules}});
}

std::string encode_token(acl_token const& token) {
    value out{{"Description", token.description}, {"Policies", value::array()}};
    for (auto const& name : token.policies)
        out["Policies"].push_back({{"Name", name}});
    return json::dump(out);
}

result<acl_policy> decode_policy(std::string_view document) {
    return json::decode(document, "the policy", read_policy);
}

result<acl_token> decode_acl_token(std::string_view document) {
    return json::decode(document, "the token", [](value const& v) {
        auto token = read_listed_token(v);
        token.secret_id = secret(json::text(v, "SecretID"));
        if (token.secret_id.empty()) json::wrong("SecretID", "a secret");
        return token;
    });
}

result<std::vector<acl_policy>> decode_policies(std::string_view document) {
    return json::decode(document, "the policies", [](value const& v) {
        std::vector<acl_policy> all;
        for (auto const& one : list_of(v, "policies"))
            all.push_back(read_policy(one));
        return all;
    });
}

result<std::vector<acl_token>> decode_tokens(std::string_view document) {
    return json::decode(document, "the tokens", [](value const& v) {
        std::vector<acl_token> all;
        for (auto const& one : list_of(v, "tokens"))
            all.push_back(read_listed_token(one));
        return all;
    });
}

secret encode_agent_tokens(agent_tokens const& tokens) {
    value by_kind = value::object();
    if (!tokens.agent.empty()) by_kind["agent"] = tokens.agent.reveal();
    if (!tokens.dns.empty()) by_kind["dns"] = tokens.dns.reveal();
    return secret(value{{"acl", {{"tokens", std::move(by_kind)}}}}.dump(2) + "\n");
}

result<agent_tokens> decode_agent_tokens(std::string_view document) {
    return json::decode(document, "the agent's tokens", [](value const& v) {
        auto const& by_kind = json::member(json::member(v, "acl"), "tokens");
        return agent_tokens{secret(json::text(by_kind, "agent")),
                            secret(json::text(by_kind, "dns"))};
    });
}

acl_trouble classify(failure const& f) {
    auto const says = [&](std::string_view words) {
        return f.doing.find(words) != std::string::npos;
    };
    // "Permission denied: ACL bootstrap no longer allowed (reset index: 13)": the reason first.
    if (says("ACL support disabled")) return acl_trouble::disabled;
    if (says("bootstrap no longer allowed")) return acl_trouble::bootstrapped;
    if (says("ACL not found")) return acl_trouble::unknown_token;
    if (says("No cluster leader")) return acl_trouble::no_leader;
    if (f.code == errc::forbidden) return acl_trouble::denied;
    return acl_trouble::other;
}

}  // namespace bevmesh::consul
