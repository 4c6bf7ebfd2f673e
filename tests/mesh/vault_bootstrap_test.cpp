// What `bevmesh vault bootstrap` plans, from nothing, from what it made, and from what drifted.
#include "config/loader.hpp"
#include "config/vault/policies.hpp"
#include "mesh/vault/bootstrap.hpp"
#include "mesh/vault/role_names.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::vault;
using nlohmann::json;

namespace {

mesh_config bev() {
    auto loaded = config::load_text(
        "mesh: {name: bev, datacenter: bev}\n"
        "nodes: {thanos: {address: 10.0.0.1}, oracle1: {address: 10.0.0.2}}\n"
        "vault:\n"
        "  addresses: ['https://10.0.0.1:8200']\n"
        "  pki: {mount: pki_bev, root_mount: pki_bev_root, names: [grafana.example]}\n"
        "  kv: {mount: bev, paths: {database: [thanos], services: [thanos, oracle1]}}\n"
        "services:\n"
        "  redis: {match: {container: redis}, nodes: [thanos], port: 6379}\n"
        "  tor: {match: {container: tor}, nodes: [oracle1], port: 9050, ports: {control: 9051}}\n",
        "f");
    REQUIRE(loaded.problems.empty());
    return loaded.value;
}

policy_templates shipped() {
    return {std::string(config::shipped_vault_node_policy()),
            std::string(config::shipped_vault_secret_policy()),
            std::string(config::shipped_vault_ca_operator_policy())};
}

/// What Vault has once the plan is done.
setup_facts after(mesh_config const& mesh) {
    setup_facts facts;
    for (auto const& step : plan_setup(mesh, shipped(), {}, {}).steps) {
        if (step.how != setup_call::write) continue;
        auto path = step.path;
        auto document = step.body;
        if (path.find("/data/") != std::string::npos) {
            path.replace(path.find("/data/"), 6, "/metadata/");
            document = json::object();
        }
        if (path.starts_with("sys/mounts/")) document["config"] = {{"max_lease_ttl", 400'000'000}};
        facts.documents[path] = document;
    }
    for (auto const* const mount : {"pki_bev", "pki_bev_root"})
        facts.documents[std::string(mount) + "/config/issuers"] = {{"default", "an-id"}};
    facts.secret_ids = {{"thanos", 1}, {"oracle1", 2}};
    return facts;
}

setup_step const& step_of(setup_plan const& plan, std::string const& label) {
    for (auto const& step : plan.steps)
        if (step.label == label) return step;
    FAIL("no step " << label);
    return plan.steps.front();
}

bool has(json const& list, std::string const& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

TEST_CASE("from nothing, everything is made, and what is needed by another comes before it") {
    auto const plan = plan_setup(bev(), shipped(), {}, {});
    CHECK(plan.changes() == plan.steps.size());
    std::vector<std::string> labels;
    for (auto const& step : plan.steps)
        labels.push_back(step.label);
    auto const at = [&](std::string const& label) {
        return std::find(labels.begin(), labels.end(), label) - labels.begin();
    };
    CHECK(at("mount pki_bev_root (pki)") < at("root certificate in pki_bev_root"));
    CHECK(at("root certificate in pki_bev_root") < at("intermediate certificate in pki_bev"));
    CHECK(at("AppRole bevmesh-thanos") < at("role ID and secret ID of thanos"));
    CHECK(at("secrets at bev/data/database") < at("role ID and secret ID of thanos"));
}

TEST_CASE("what was made is left as it is") {
    auto const mesh = bev();
    auto const plan = plan_setup(mesh, shipped(), after(mesh), {});
    CHECK(plan.changes() == 0);
    CHECK(plan.notes.empty());
    // As OpenBao writes what it was given.
    auto facts = after(mesh);
    auto& role = facts.documents.at("auth/approle/role/bevmesh-thanos");
    role["token_bound_cidrs"] = {"10.0.0.1"};
    auto& names = facts.documents.at("pki_bev/roles/service-oracle1").at("allowed_domains");
    std::reverse(names.begin(), names.end());
    CHECK(plan_setup(mesh, shipped(), facts, {}).changes() == 0);
}

TEST_CASE("what drifted is shown and mended") {
    auto const mesh = bev();
    auto facts = after(mesh);
    facts.documents.at("pki_bev/roles/service-thanos")["allow_any_name"] = true;
    facts.documents.at("sys/policies/acl/bevmesh-node-thanos")["policy"] =
        node_policy(mesh, "thanos", shipped()) + "path \"*\" {}\n";
    auto const plan = plan_setup(mesh, shipped(), facts, {});
    CHECK(plan.changes() == 2);
    auto const& role = step_of(plan, "PKI role service-thanos");
    CHECK(role.what == step_kind::update);
    REQUIRE(role.diff.size() == 2);
    CHECK(marked(role.diff[0]) == "- allow_any_name = true");
    CHECK(marked(role.diff[1]) == "+ allow_any_name = false");
    auto const& policy = step_of(plan, "policy bevmesh-node-thanos");
    CHECK(marked(policy.diff.back()) == "- path \"*\" {}");
}

TEST_CASE("a CRL outlives every certificate, also while Vault is away and makes none anew") {
    auto mesh = bev();
    for (auto const* const mount : {"pki_bev_root", "pki_bev"}) {
        auto const plan = plan_setup(mesh, shipped(), {}, {});
        auto const& crl = step_of(plan, std::string("CRL of ") + mount).body;
        CHECK(crl["auto_rebuild"] == true);
        CHECK(crl["auto_rebuild_grace_period"] == "24h");
        CHECK(crl["expiry"] == "72h");
    }
    mesh.vault.pki.ttl = std::chrono::hours(30 * 24);
    auto const plan = plan_setup(mesh, shipped(), {}, {});
    CHECK(step_of(plan, "CRL of pki_bev").body["auto_rebuild_grace_period"] == "720h");
    CHECK(step_of(plan, "CRL of pki_bev").body["expiry"] == "2160h");
}

TEST_CASE("a mount of another type stops it all") {
    auto const mesh = bev();
    auto facts = after(mesh);
    facts.documents["sys/mounts/bev"] = {{"type", "kv"}, {"options", {{"version", "1"}}}};
    CHECK(plan_setup(mesh, shipped(), facts, {}).refused());
    facts.documents["sys/mounts/bev"] = {{"type", "pki"}, {"options", nullptr}};
    CHECK(plan_setup(mesh, shipped(), facts, {}).refused());
}

TEST_CASE("a node gets another secret ID only when it has none, or when it is asked for") {
    auto const mesh = bev();
    auto facts = after(mesh);
    facts.secret_ids["oracle1"] = 0;
    auto const lost = plan_setup(mesh, shipped(), facts, {});
    CHECK(lost.changes() == 1);
    CHECK(step_of(lost, "role ID and secret ID of oracle1").what == step_kind::create);
    auto const wished = plan_setup(mesh, shipped(), after(mesh), {"thanos"});
    CHECK(wished.changes() == 1);
    CHECK(step_of(wished, "role ID and secret ID of thanos").what == step_kind::create);
}

TEST_CASE("a node's certificates have names of its own services and no others") {
    auto const mesh = bev();
    auto const thanos = role_document(mesh, "service-thanos");
    CHECK(has(thanos["allowed_domains"], "redis.service.consul"));
    CHECK(has(thanos["allowed_domains"], "redis.service.bev.consul"));
    CHECK(has(thanos["allowed_domains"], "thanos"));
    CHECK(has(thanos["allowed_domains"], "grafana.example"));
    CHECK_FALSE(has(thanos["allowed_domains"], "tor.service.consul"));
    CHECK(has(thanos["allowed_uri_sans"], "spiffe://bev/node/thanos/service/redis"));
    CHECK_FALSE(thanos["allowed_uri_sans"].dump().find("oracle1") != std::string::npos);
    CHECK(thanos["allowed_ip_sans_cidr"] == json::array({"10.0.0.1/32"}));
    CHECK(thanos["no_store"] == true);
    CHECK(thanos["ttl"] == 86'400);
    auto const oracle1 = role_document(mesh, "service-oracle1");
    CHECK(has(oracle1["allowed_domains"], "tor-control.service.consul"));
}

TEST_CASE("where Consul's agent has its certificate of Vault, its names are signed, and else not") {
    auto mesh = bev();
    auto const without = role_document(mesh, "service-thanos");
    CHECK_FALSE(has(without["allowed_domains"], "localhost"));
    CHECK_FALSE(has(without["allowed_domains"], "server.bev.consul"));
    mesh.consul.tls.recipe = "consul";
    auto const with = role_document(mesh, "service-thanos");
    CHECK(has(with["allowed_domains"], "localhost"));
    CHECK(has(with["allowed_domains"], "server.bev.consul"));
    CHECK(has(with["allowed_uri_sans"], "spiffe://bev/node/thanos/service/consul"));
    CHECK(with["allowed_ip_sans_cidr"] == json::array({"10.0.0.1/32", "127.0.0.1/32", "::1/128"}));
}

TEST_CASE("one role for all nodes has the names of all") {
    auto mesh = bev();
    mesh.vault.pki.role = "service";
    auto const both = role_document(mesh, "service");
    CHECK(has(both["allowed_domains"], "tor.service.consul"));
    CHECK(has(both["allowed_domains"], "redis.service.consul"));
    CHECK(both["allowed_ip_sans_cidr"].size() == 2);
}

TEST_CASE("a node's policy names its own paths, and the secrets that it may read") {
    auto const mesh = bev();
    auto const thanos = node_policy(mesh, "thanos", shipped());
    CHECK(thanos.find("path \"bev/data/database\"") != std::string::npos);
    CHECK(thanos.find("path \"pki_bev/sign/service-thanos\"") != std::string::npos);
    CHECK(thanos.find("auth/approle/role/bevmesh-thanos/secret-id\"") != std::string::npos);
    CHECK(thanos.find('#') == std::string::npos);
    auto const oracle1 = node_policy(mesh, "oracle1", shipped());
    CHECK(oracle1.find("bev/data/database") == std::string::npos);
    CHECK(oracle1.find("bev/data/services") != std::string::npos);
    // No word that stands for something was left.
    for (auto const* const word : {"_MOUNT", "_ROLE", "_NAME", "KV_", "NODE"})
        CHECK(thanos.find(word) == std::string::npos);
}

TEST_CASE("what a server does not know of a role is noted") {
    auto const mesh = bev();
    auto facts = after(mesh);
    facts.documents.at("pki_bev/roles/service-thanos").erase("allowed_ip_sans_cidr");
    auto const plan = plan_setup(mesh, shipped(), facts, {});
    CHECK(plan.changes() == 0);
    REQUIRE(plan.notes.size() == 1);
    CHECK(plan.notes.front().find("allowed_ip_sans_cidr") != std::string::npos);
}
