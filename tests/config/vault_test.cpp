// The section `vault`: what is taken, and how each mistake is told.
#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

using namespace bevmesh;
using namespace bevmesh::config;

namespace {

lines problems_after_head(std::string const& text) {
    return problems_of(head + text);
}

}  // namespace

TEST_CASE("a mesh without Vault says nothing of it, one with it needs only addresses") {
    CHECK(problems_after_head("").empty());
    auto const loaded = load_text(head + "vault: {addresses: ['https://10.0.0.1:8200']}\n", "f");
    REQUIRE(loaded.problems.empty());
    auto const& vault = loaded.value.vault;
    CHECK(vault.approle.role == "bevmesh-NODE");
    CHECK(vault.approle.token_period == std::chrono::hours(24));
    CHECK(vault.pki.role == "service-NODE");
    CHECK(vault.pki.root_mount != vault.pki.mount);
}

TEST_CASE("Vault's addresses are of TLS, and each is there once") {
    CHECK(problems_after_head("vault: {}\n").size() == 1);
    CHECK(problems_after_head("vault: {addresses: ['http://10.0.0.1:8200']}\n") ==
          lines{"f:3:21: vault.addresses[0]: \"http://10.0.0.1:8200\" is not valid; expected "
                "https://HOST:PORT"});
    CHECK(problems_after_head(
              "vault: {addresses: ['https://10.0.0.1:8200', 'https://10.0.0.1:8200']}\n") ==
          lines{"f:3:46: vault.addresses[1]: https://10.0.0.1:8200 is there twice; expected each "
                "server once"});
}

TEST_CASE("mounts are apart, roles are of one node, paths are for nodes of the mesh") {
    CHECK(problems_after_head("vault:\n"
                              "  addresses: ['https://10.0.0.1:8200']\n"
                              "  auth: {approle: {role: all}}\n"
                              "  pki: {mount: a, root_mount: a}\n"
                              "  kv: {mount: a, paths: {database: [n3]}}\n") ==
          lines{"f:5:26: vault.auth.approle.role: \"all\" is the same for every node; expected "
                "NODE in it, for the node's name",
                "f:6:31: vault.pki.root_mount: \"a\" is the intermediate's mount; expected a mount "
                "of its own for the root",
                "f:7:15: vault.kv.mount: \"a\" is a mount of the PKI; expected a mount of its own "
                "for secrets",
                "f:7:37: vault.kv.paths.database[0]: \"n3\" is no node of this mesh, did you mean "
                "n1; expected one of n1, n2"});
}

TEST_CASE("paths and names of Vault have no way out of their place") {
    for (auto const* const mount : {"'/a'", "'a/'", "'a//b'", "'../a'", "'a b'", "'a?b'"}) {
        INFO(mount);
        auto const found = problems_after_head(
            "vault: {addresses: ['https://10.0.0.1:8200'], pki: {mount: " + std::string(mount) +
            "}}\n");
        CHECK(found.size() == 1);
    }
    CHECK(problems_after_head("vault: {addresses: ['https://10.0.0.1:8200'], pki: {names: "
                              "['*.example.org', a_b]}}\n")
              .size() == 2);
}
