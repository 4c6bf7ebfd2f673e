// Consul's ACL documents, read and written, and what its refusals mean.
#include <nlohmann/json.hpp>

#include "mesh/consul/acl.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::consul;
using nlohmann::json;

TEST_CASE("a policy is written with name, description and rules") {
    auto const body = json::parse(encode_policy({"id", "bevmesh-dns", "why", "node \"a\" {}\n"}));
    CHECK(body ==
          json{{"Name", "bevmesh-dns"}, {"Description", "why"}, {"Rules", "node \"a\" {}\n"}});
    auto const back = decode_policy(R"({"ID":"1","Name":"n","Rules":"r","Hash":"x"})");
    CHECK(back.value() == acl_policy{"1", "n", "", "r"});
    CHECK(decode_policy(R"({"Name":"n"})").has_error());
    CHECK(decode_policies(R"([{"ID":"1","Name":"n"}])")->size() == 1);
    CHECK(decode_policies("{}").has_error());
}

TEST_CASE("a token is written without its secret, and read with all its rights") {
    acl_token wanted;
    wanted.accessor = "a";
    wanted.description = "d";
    wanted.policies = {"p"};
    wanted.secret_id = secret("hidden");
    CHECK(json::parse(encode_token(wanted)) ==
          json{{"Description", "d"}, {"Policies", {{{"Name", "p"}}}}});
    auto const token = decode_acl_token(R"({"AccessorID":"a","SecretID":"s","Description":"d",
        "Policies":[{"ID":"2","Name":"z"},{"ID":"1","Name":"b"}],"Roles":[{"Name":"admin"}],
        "ServiceIdentities":[{"ServiceName":"web"}],"NodeIdentities":[{"NodeName":"n"}],
        "TemplatedPolicies":[{"TemplateName":"builtin/dns"}]})");
    REQUIRE(token.has_value());
    CHECK(token->policies == std::vector<std::string>{"b", "z"});
    CHECK(token->other_rights == std::vector<std::string>{"role admin", "service identity web",
                                                          "node identity n",
                                                          "template builtin/dns"});
    CHECK(token->secret_id == secret("s"));
    CHECK(decode_acl_token(R"({"AccessorID":"a"})").has_error());
}

TEST_CASE("the list of tokens is read without the secrets that Consul puts in it") {
    auto const all = decode_tokens(R"([{"AccessorID":"a","SecretID":"s","Policies":null}])");
    REQUIRE(all.has_value());
    CHECK(all->front().secret_id.empty());
}

TEST_CASE("the agent's tokens are a piece of its configuration") {
    auto const text = encode_agent_tokens({secret("a"), secret("d")});
    CHECK(json::parse(text.reveal()) ==
          json::parse(R"({"acl":{"tokens":{"agent":"a","dns":"d"}}})"));
    auto const back = decode_agent_tokens(text.reveal());
    REQUIRE(back.has_value());
    CHECK(back->agent == secret("a"));
    CHECK(back->dns == secret("d"));
    auto const half = encode_agent_tokens({secret("a"), {}});
    CHECK(decode_agent_tokens(half.reveal())->dns.empty());
    CHECK(decode_agent_tokens("{}")->agent.empty());
    CHECK(decode_agent_tokens(R"({"acl":{"tokens":{"agent":1}}})").has_error());
}

TEST_CASE("what Consul 1.22 says when it refuses") {
    auto const of = [](errc code, std::string const& text) { return classify({code, text}); };
    CHECK(of(errc::forbidden, "401 ACL support disabled") == acl_trouble::disabled);
    CHECK(of(errc::forbidden,
             "403 Permission denied: rpc error making call: ACL bootstrap no "
             "longer allowed (reset index: 6)") == acl_trouble::bootstrapped);
    CHECK(of(errc::forbidden, "403 rpc error making call: token does not exist: ACL not found") ==
          acl_trouble::unknown_token);
    CHECK(of(errc::forbidden,
             "403 Permission denied: token with AccessorID 'x' lacks permission "
             "'acl:read'") == acl_trouble::denied);
    CHECK(of(errc::remote_error, "500 No cluster leader") == acl_trouble::no_leader);
    CHECK(of(errc::unreachable, "connect: Connection refused") == acl_trouble::other);
}
