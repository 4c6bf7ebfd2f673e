#include "mesh/vault/bootstrap.hpp"

#include <algorithm>

#include "mesh/vault/role_names.hpp"

namespace bevmesh::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t root_seconds = root_life.count();
constexpr std::int64_t intermediate_seconds = intermediate_life.count();

std::int64_t in_seconds(milliseconds d) {
    return d.count() / 1'000;
}

std::string policy_name(std::string const& node) {
    return "bevmesh-node-" + node;
}
std::string approle_path(mesh_config const& mesh, std::string const& node) {
    auto const& how = mesh.vault.approle;
    return "auth/" + how.mount + "/role/" + named_for(how.role, node);
}
std::string role_path(mesh_config const& mesh, std::string const& role) {
    return mesh.vault.pki.mount + "/roles/" + role;
}
std::string policy_path(std::string const& name) {
    return "sys/policies/acl/" + name;
}
std::string secret_path(mesh_config const& mesh, std::string const& kind, std::string const& path) {
    return mesh.vault.kv.mount + "/" + kind + "/" + path;
}

std::set<std::string> roles_of(mesh_config const& mesh) {
    std::set<std::string> roles;
    for (auto const& [node, _] : mesh.nodes)
        roles.insert(named_for(mesh.vault.pki.role, node));
    return roles;
}

json document_at(setup_facts const& facts, std::string const& path) {
    auto const found = facts.documents.find(path);
    return found == facts.documents.end() ? json() : found->second;
}

/// As Vault may write it otherwise than it was given: an address with its prefix, nothing for an
/// empty list, lists in any order.
json plain(json const& value) {
    if (value.is_null()) return json::array();
    if (value.is_string()) {
        auto text = value.get<std::string>();
        for (auto const* const whole : {"/32", "/128"})
            if (text.ends_with(whole)) text.resize(text.size() - std::string(whole).size());
        return text;
    }
    if (!value.is_array()) return value;
    std::vector<json> parts;
    for (auto const& part : value)
        parts.push_back(plain(part));
    std::ranges::sort(parts);
    return parts;
}

std::string line_of(std::string const& key, json const& value) {
    return key + " = " + value.dump() + "\n";
}

setup_step write_step(std::string label, std::string path, json body) {
    setup_step step;
    step.label = std::move(label);
    step.path = std::move(path);
    step.body = std::move(body);
    return step;
}

class planner {
public:
    planner(mesh_config const& mesh, setup_facts const& facts) : mesh_(mesh), facts_(facts) {}

    void mount(std::string const& path, std::string const& type, std::int64_t longest);
    void auth();
    void root();
    void intermediate();
    void policy(std::string const& name, std::string const& rules);
    void secret(std::string const& path);
    void credentials(std::string const& node, bool renew);
    /// A document that is read where it is written.
    void document(std::string const& label, std::string const& path, json const& wanted);

    [[nodiscard]] setup_plan take() { return std::move(plan_); }

private:
    void add(setup_step step) { plan_.steps.push_back(std::move(step)); }

    mesh_config const& mesh_;
    setup_facts const& facts_;
    setup_plan plan_;
};

void planner::mount(std::string const& path, std::string const& type, std::int64_t longest) {
    json body{{"type", type}};
    bool const is_kv = type == "kv";
    if (is_kv) body["options"] = {{"version", "2"}};
    if (longest > 0) body["config"] = {{"max_lease_ttl", std::to_string(longest) + "s"}};
    auto step = write_step("mount " + path + " (" + type + ")", "sys/mounts/" + path, body);
    auto const is = document_at(facts_, "sys/mounts/" + path);
    if (is.is_object()) {
        auto const options = is.value("options", json::object());
        auto const version =
            options.is_object() ? options.value("version", std::string()) : std::string();
        auto const has = is.value("type", std::string());
        bool const fits = has == type && (!is_kv || version == "2");
        auto const config = is.value("config", json::object());
        step.what = fits ? step_kind::unchanged : step_kind::refuse;
        if (!fits)
            step.why = "there is a mount of type " + has + (is_kv ? ", version " + version : "") +
                       " at this path; name another in the configuration";
        else if (config.value("max_lease_ttl", std::int64_t{0}) < longest) {
            step.what = step_kind::update;
            step.path += "/tune";
            step.body = {{"max_lease_ttl", std::to_string(longest) + "s"}};
            step.why = "its longest lease is too short";
        }
    }
    add(std::move(step));
}

void planner::auth() {
    auto const& path = mesh_.vault.approle.mount;
    auto step = write_step("login by AppRole at auth/" + path, "sys/auth/" + path,
                           json{{"type", "approle"}});
    auto const is = document_at(facts_, "sys/auth/" + path);
    if (is.is_object()) {
        auto const has = is.value("type", std::string());
        step.what = has == "approle" ? step_kind::unchanged : step_kind::refuse;
        if (has != "approle")
            step.why = "there is a login of type " + has + " at this path; name another";
    }
    add(std::move(step));
}

void planner::root() {
    auto const& mount = mesh_.vault.pki.root_mount;
    auto const is = document_at(facts_, mount + "/config/issuers");
    bool const there = is.is_object() && !is.value("default", std::string()).empty();
    setup_step step;
    step.how = setup_call::root;
    step.label = "root certificate in " + mount;
    step.what = there ? step_kind::unchanged : step_kind::create;
    step.body = {
        {"common_name", mesh_.name + " root 1"}, {"issuer_name", "root-1"}, {"ttl", root_seconds}};
    add(std::move(step));
}

void planner::intermediate() {
    auto const& mount = mesh_.vault.pki.mount;
    auto const is = document_at(facts_, mount + "/config/issuers");
    bool const there = is.is_object() && !is.value("default", std::string()).empty();
    setup_step step;
    step.how = setup_call::intermediate;
    step.label = "intermediate certificate in " + mount;
    step.what = there ? step_kind::unchanged : step_kind::create;
    step.body = {{"common_name", mesh_.name + " services 1"},
                 {"issuer_name", "services-1"},
                 {"ttl", intermediate_seconds}};
    add(std::move(step));
}

void planner::document(std::string const& label, std::string const& path, json const& wanted) {
    auto step = write_step(label, path, wanted);
    auto const is = document_at(facts_, path);
    std::string before;
    std::string after;
    for (auto const& [key, value] : wanted.items()) {
        bool const known = is.is_object() && is.contains(key);
        if (is.is_object() && !known)
            plan_.notes.push_back(label + ": this server does not know " + key +
                                  ", which then bounds nothing");
        if (is.is_object() && (!known || plain(is.at(key)) == plain(value))) continue;
        if (known) before += line_of(key, is.at(key));
        after += line_of(key, value);
    }
    if (is.is_object()) step.what = after.empty() ? step_kind::unchanged : step_kind::update;
    step.diff = diff_lines(before, after);
    add(std::move(step));
}

void planner::policy(std::string const& name, std::string const& rules) {
    auto step = write_step("policy " + name, policy_path(name), json{{"policy", rules}});
    auto const is = document_at(facts_, policy_path(name));
    auto const has = is.is_object() ? is.value("policy", std::string()) : std::string();
    if (is.is_object()) step.what = has == rules ? step_kind::unchanged : step_kind::update;
    if (step.what != step_kind::unchanged) step.diff = diff_lines(has, rules);
    add(std::move(step));
}

void planner::secret(std::string const& path) {
    auto step = write_step("secrets at " + secret_path(mesh_, "data", path),
                           secret_path(mesh_, "data", path),
                           json{{"options", {{"cas", 0}}}, {"data", json::object()}});
    step.why = "empty, to be filled";
    if (document_at(facts_, secret_path(mesh_, "metadata", path)).is_object()) {
        step.what = step_kind::unchanged;
        step.why.clear();
    }
    add(std::move(step));
}

void planner::credentials(std::string const& node, bool renew) {
    setup_step step;
    step.how = setup_call::credentials;
    step.label = "role ID and secret ID of " + node;
    step.node = node;
    step.path = approle_path(mesh_, node);
    auto const found = facts_.secret_ids.find(node);
    bool const has_one = found != facts_.secret_ids.end() && found->second > 0;
    step.what = has_one && !renew ? step_kind::unchanged : step_kind::create;
    if (has_one && renew) step.why = "another one; the others stay good until they end";
    add(std::move(step));
}

json approle_document(mesh_config const& mesh, std::string const& node) {
    auto const& how = mesh.vault.approle;
    auto bound = json::array();
    if (how.bind_address) {
        auto const& address = mesh.nodes.at(node).address;
        bound.push_back(address + (address.find(':') == std::string::npos ? "/32" : "/128"));
    }
    return {{"bind_secret_id", true},
            {"secret_id_bound_cidrs", bound},
            {"secret_id_num_uses", 0},
            {"secret_id_ttl", in_seconds(how.secret_id_ttl)},
            {"token_bound_cidrs", bound},
            {"token_max_ttl", 0},
            {"token_no_default_policy", true},
            {"token_num_uses", 0},
            {"token_period", in_seconds(how.token_period)},
            {"token_policies", json::array({policy_name(node)})},
            {"token_ttl", 0},
            {"token_type", "service"}};
}

std::string filled(std::string text, mesh_config const& mesh, std::string const& node,
                   std::string const& path) {
    auto const& vault = mesh.vault;
    std::map<std::string, std::string> const words{
        {"PKI_MOUNT", vault.pki.mount},
        {"PKI_ROOT_MOUNT", vault.pki.root_mount},
        {"PKI_ROLE", named_for(vault.pki.role, node)},
        {"APPROLE_MOUNT", vault.approle.mount},
        {"APPROLE_NAME", named_for(vault.approle.role, node)},
        {"KV_MOUNT", vault.kv.mount},
        {"KV_PATH", path}};
    for (auto const& [word, value] : words)
        for (auto at = text.find(word); at != std::string::npos;
             at = text.find(word, at + value.size()))
            text.replace(at, word.size(), value);
    return text;
}

}  // namespace

json role_document(mesh_config const& mesh, std::string const& role) {
    certificate_names names;
    for (auto const& [node, _] : mesh.nodes)
        if (named_for(mesh.vault.pki.role, node) == role) add_names_of(node, mesh, names);
    auto ranges = json::array();
    for (auto const& address : names.addresses)
        ranges.push_back(address + (address.find(':') == std::string::npos ? "/32" : "/128"));
    return {{"allow_any_name", false},
            {"allow_bare_domains", true},
            {"allow_glob_domains", false},
            {"allow_ip_sans", true},
            {"allow_localhost", false},
            {"allow_subdomains", false},
            {"allow_wildcard_certificates", false},
            {"allowed_domains", names.domains},
            {"allowed_ip_sans_cidr", ranges},
            {"allowed_other_sans", json::array()},
            {"allowed_uri_sans", names.uris},
            {"client_flag", true},
            // Without them any common name is signed as long as it is in no SAN (seen with 2.7.2).
            {"cn_validations", {"email", "hostname"}},
            {"code_signing_flag", false},
            {"email_protection_flag", false},
            {"enforce_hostnames", true},
            {"generate_lease", false},
            {"issuer_ref", "default"},
            {"key_bits", 256},
            {"key_type", "ec"},
            {"max_ttl", in_seconds(mesh.vault.pki.ttl)},
            {"no_store", true},
            {"not_after_bound", "forbid"},
            {"not_before_bound", "forbid"},
            {"require_cn", false},
            {"server_flag", true},
            {"ttl", in_seconds(mesh.vault.pki.ttl)},
            {"use_csr_common_name", false},
            {"use_csr_sans", false}};
}

/// Whoever checks a CRL that has ended refuses all, and while Vault is away nobody makes another.
/// So what is left of one at any time is as long as the longest certificate: those end first.
json crl_document(milliseconds ttl) {
    using std::chrono::hours;
    auto const left = std::max(std::chrono::ceil<hours>(ttl), hours(24)).count();
    return {{"auto_rebuild", true},
            {"auto_rebuild_grace_period", std::to_string(left) + "h"},
            {"disable", false},
            {"expiry", std::to_string(3 * left) + "h"}};
}

std::string node_policy(mesh_config const& mesh, std::string const& node,
                        policy_templates const& shipped) {
    auto rules = filled(without_comments(shipped.node), mesh, node, "");
    for (auto const& [path, nodes] : mesh.vault.kv.paths)
        if (std::ranges::find(nodes, node) != nodes.end())
            rules += filled(without_comments(shipped.secret), mesh, node, path);
    return rules;
}

std::vector<std::string> documents_of(mesh_config const& mesh) {
    auto const& vault = mesh.vault;
    std::vector<std::string> paths{"sys/auth/" + vault.approle.mount,
                                   policy_path(ca_operator_policy_name)};
    for (auto const& mount : {vault.pki.root_mount, vault.pki.mount}) {
        paths.push_back("sys/mounts/" + mount);
        paths.push_back(mount + "/config/issuers");
        paths.push_back(mount + "/config/crl");
    }
    for (auto const& role : roles_of(mesh))
        paths.push_back(role_path(mesh, role));
    for (auto const& [node, _] : mesh.nodes) {
        paths.push_back(policy_path(policy_name(node)));
        paths.push_back(approle_path(mesh, node));
    }
    if (!vault.kv.paths.empty()) paths.push_back("sys/mounts/" + vault.kv.mount);
    for (auto const& [path, _] : vault.kv.paths)
        paths.push_back(secret_path(mesh, "metadata", path));
    return paths;
}

setup_plan plan_setup(mesh_config const& mesh, policy_templates const& shipped,
                      setup_facts const& facts, std::set<std::string> const& renew) {
    auto const& vault = mesh.vault;
    planner p(mesh, facts);
    p.mount(vault.pki.root_mount, "pki", root_seconds);
    p.mount(vault.pki.mount, "pki", intermediate_seconds);
    p.root();
    p.intermediate();
    auto const crl = crl_document(vault.pki.ttl);
    for (auto const& mount : {vault.pki.root_mount, vault.pki.mount})
        p.document("CRL of " + mount, mount + "/config/crl", crl);
    for (auto const& role : roles_of(mesh))
        p.document("PKI role " + role, role_path(mesh, role), role_document(mesh, role));
    p.policy(ca_operator_policy_name, filled(without_comments(shipped.ca_operator), mesh, "", ""));
    p.auth();
    for (auto const& [node, _] : mesh.nodes) {
        p.policy(policy_name(node), node_policy(mesh, node, shipped));
        p.document("AppRole " + named_for(vault.approle.role, node), approle_path(mesh, node),
                   approle_document(mesh, node));
    }
    if (!vault.kv.paths.empty()) p.mount(vault.kv.mount, "kv", 0);
    for (auto const& [path, _] : vault.kv.paths)
        p.secret(path);
    for (auto const& [node, _] : mesh.nodes)
        p.credentials(node, renew.contains(node));
    return p.take();
}

std::size_t setup_plan::changes() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        steps, [](auto const& step) { return step.what != step_kind::unchanged; }));
}

bool setup_plan::refused() const {
    return std::ranges::any_of(steps,
                               [](auto const& step) { return step.what == step_kind::refuse; });
}

json to_json(setup_plan const& plan) {
    auto steps = json::array();
    for (auto const& step : plan.steps) {
        auto diff = json::array();
        for (auto const& line : step.diff)
            diff.push_back(marked(line));
        steps.push_back({{"what", step.label},
                         {"action", name(step.what)},
                         {"why", step.why},
                         {"diff", std::move(diff)}});
    }
    return {{"steps", std::move(steps)}, {"notes", plan.notes}, {"changes", plan.changes()}};
}

}  // namespace bevmesh::vault
