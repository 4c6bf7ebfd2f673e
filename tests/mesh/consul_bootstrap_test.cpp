// Which policies and tokens a mesh needs, against what there is.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "mesh/consul/bootstrap.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::consul;

namespace {

policy_templates const shipped{"node \"NODE\" {}\n", "agent \"NODE\" {}\n",
                               "node_prefix \"\" {}\n"};
std::vector<std::string> const nodes{"a", "b"};

/// A Consul in which a plan was carried out.
acl_facts carried_out(bootstrap_plan const& plan) {
    acl_facts facts;
    for (auto step : plan.policies) {
        step.wanted.id = "id of " + step.wanted.name;
        facts.policies[step.wanted.name] = step.wanted;
    }
    for (auto step : plan.tokens) {
        step.wanted.accessor = "accessor of " + step.wanted.description;
        facts.tokens.push_back(step.wanted);
        facts.files[step.slot] = step.wanted;
    }
    return facts;
}

token_step const& step_of(bootstrap_plan const& plan, token_slot const& slot) {
    return *std::ranges::find(plan.tokens, slot, &token_step::slot);
}

token_slot const daemon_a{"a", token_role::daemon};

}  // namespace

TEST_CASE("rules are those of the file, without its comments, with the node's name") {
    CHECK(rules_for("# For people: NODE.\n\nagent \"NODE\" {\n  policy = \"read\"\n}\n",
                    "thanos") == "agent \"thanos\" {\n  policy = \"read\"\n}\n");
}

TEST_CASE("an empty Consul gets two policies and three tokens a node, and one for DNS") {
    auto const plan = plan_bootstrap(nodes, shipped, {});
    CHECK(plan.policies.size() == 5);
    CHECK(plan.tokens.size() == 6);
    CHECK(plan.changes() == 11);
    CHECK(plan.policies[1].wanted.name == "bevmesh-daemon-a");
    CHECK(plan.policies[1].wanted.rules == "agent \"a\" {}\n");
    auto const& token = step_of(plan, daemon_a);
    CHECK(token.what == step_kind::create);
    CHECK(token.wanted.policies == std::vector<std::string>{"bevmesh-daemon-a"});
    CHECK(step_of(plan, {"b", token_role::dns}).wanted.policies ==
          std::vector<std::string>{"bevmesh-dns"});
    auto names = policy_names(nodes);
    for (auto const& step : plan.policies)
        CHECK(std::ranges::count(names, step.wanted.name) == 1);
}

TEST_CASE("the second run has nothing to do") {
    auto const plan =
        plan_bootstrap(nodes, shipped, carried_out(plan_bootstrap(nodes, shipped, {})));
    CHECK(plan.changes() == 0);
    CHECK(plan.notes.empty());
}

TEST_CASE("a policy that was changed is shown as a diff and keeps its ID") {
    auto facts = carried_out(plan_bootstrap(nodes, shipped, {}));
    facts.policies["bevmesh-daemon-a"].rules = "acl = \"write\"\n";
    auto const plan = plan_bootstrap(nodes, shipped, facts);
    CHECK(plan.changes() == 1);
    auto const& step = plan.policies[1];
    CHECK(step.what == step_kind::update);
    CHECK(step.wanted.id == "id of bevmesh-daemon-a");
    using kind = diff_line::kind;
    CHECK(step.diff == std::vector<diff_line>{{kind::removed, "acl = \"write\""},
                                              {kind::added, "agent \"a\" {}"}});
}

TEST_CASE("a token that was given more than its policy loses it") {
    auto facts = carried_out(plan_bootstrap(nodes, shipped, {}));
    SECTION("by a policy") {
        facts.files[daemon_a].policies = {"bevmesh-daemon-a", "more"};
    }
    SECTION("by a role") {
        facts.files[daemon_a].other_rights = {"role admin"};
    }
    auto const step = step_of(plan_bootstrap(nodes, shipped, facts), daemon_a);
    CHECK(step.what == step_kind::update);
    CHECK(step.wanted.accessor == facts.files[daemon_a].accessor);
    CHECK(step.why.find("only bevmesh-daemon-a is wanted") != std::string::npos);
}

TEST_CASE("a lost file is written again, a lost token made again") {
    auto facts = carried_out(plan_bootstrap(nodes, shipped, {}));
    SECTION("file lost") {
        facts.files.erase(daemon_a);
        auto const step = step_of(plan_bootstrap(nodes, shipped, facts), daemon_a);
        CHECK(step.what == step_kind::restore);
        CHECK(step.wanted.accessor == "accessor of bevmesh: daemon on a");
    }
    SECTION("token lost: the file's secret is nobody's") {
        facts.files[daemon_a] = {};
        std::erase_if(facts.tokens, [](auto const& token) {
            return token.description == "bevmesh: daemon on a";
        });
        auto const step = step_of(plan_bootstrap(nodes, shipped, facts), daemon_a);
        CHECK(step.what == step_kind::create);
        CHECK(step.wanted.accessor.empty());
        CHECK(step.why == "Consul does not know the token in the file");
    }
}

TEST_CASE("a file with somebody else's token stops everything: it could be the management token") {
    auto facts = carried_out(plan_bootstrap(nodes, shipped, {}));
    facts.files[daemon_a].description = "Bootstrap Token (Global Management)";
    auto const plan = plan_bootstrap(nodes, shipped, facts);
    CHECK(plan.refused());
    CHECK(step_of(plan, daemon_a).what == step_kind::refuse);
}

TEST_CASE("what is left of a node that is gone is told, and left") {
    auto const plan =
        plan_bootstrap({"a"}, shipped, carried_out(plan_bootstrap(nodes, shipped, {})));
    CHECK(plan.changes() == 0);
    REQUIRE(plan.notes.size() == 3);
    CHECK(plan.notes[0].find("consul acl token delete -accessor-id") != std::string::npos);
}

TEST_CASE("a diff is the shortest, what goes before what comes") {
    using kind = diff_line::kind;
    CHECK(diff_lines("a\nb\nc\n", "a\nx\nc\nd") == std::vector<diff_line>{{kind::same, "a"},
                                                                          {kind::removed, "b"},
                                                                          {kind::added, "x"},
                                                                          {kind::same, "c"},
                                                                          {kind::added, "d"}});
    CHECK(diff_lines("", "").empty());
    CHECK(diff_lines("a", "a\n") == std::vector<diff_line>{{kind::same, "a"}});
}
