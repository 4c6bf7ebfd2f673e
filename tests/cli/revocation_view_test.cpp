// Who refuses a revoked certificate, as `bevmesh certs revoke` tells it.
#include "mesh/cli/revocation_view.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

json verifier(std::string const& service, std::string const& node, std::string const& does,
              std::string const& why = "") {
    return {{"service", service},
            {"node", node},
            {"recipe", service == "bevmesh" ? "peers" : service},
            {"does", does},
            {"why", why}};
}

json mesh() {
    return {
        {"nodes",
         {{{"node", "oracle1"},
           {"verifiers",
            {verifier("bevmesh", "oracle1", "enforced"), verifier("redis", "oracle1", "never")}}},
          {{"node", "thanos"},
           {"verifiers",
            {verifier("bevmesh", "thanos", "enforced"),
             verifier("postgres", "thanos", "enforced")}}}}},
        {"not_answering", json::array()}};
}

std::string drawn(json const& answers) {
    return draw_enforcement(enforcement_of(answers), "2026-12-01", page{});
}

bool has(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("who refuses a revoked certificate is named, and who takes it until it ends") {
    auto const answers = json::array({mesh()});
    auto const told = enforcement_of(answers);
    CHECK(told["peers"] == json{{"nodes", 2}, {"refuse", 2}, {"not_yet", json::array()}});
    CHECK(told["verifiers"].size() == 2);
    CHECK_FALSE(is_awaited(told));
    auto const text = drawn(answers);
    CHECK(has(text, "peers     all      2 of 2 nodes refuse it\n"));
    CHECK(has(text, "postgres  thanos   refuses it\n"));
    CHECK(
        has(text, "redis     oracle1  takes it until it ends at 2026-12-01: redis reads no CRL\n"));
}

TEST_CASE("a node or a service that has the CRL not yet is waited for, and told of") {
    auto late = mesh();
    late["nodes"][0]["verifiers"][0] = verifier("bevmesh", "oracle1", "pending", "an older one");
    late["not_answering"] = {{{"node", "starlord"}, {"why", "no route"}}};
    auto const told = enforcement_of(json::array({late}));
    CHECK(told["peers"]["nodes"] == 3);
    CHECK(told["peers"]["refuse"] == 1);
    CHECK(is_awaited(told));
    auto const text = drawn(json::array({late}));
    CHECK(has(text, "1 of 3 nodes refuse it"));
    CHECK(has(text, "peers     oracle1   not yet: an older one"));
    CHECK(has(text, "peers     starlord  not yet: no route"));
    auto slow = mesh();
    slow["nodes"][1]["verifiers"][1] = verifier("postgres", "thanos", "pending", "reload: refused");
    CHECK(is_awaited(enforcement_of(json::array({slow}))));
    CHECK(has(drawn(json::array({slow})), "postgres  thanos   not yet: reload: refused"));
}

TEST_CASE("a server that is not set up to read its CRL is no success, and not waited for") {
    auto unread = mesh();
    unread["nodes"][1]["verifiers"][1] =
        verifier("postgres", "thanos", "unread", "ssl_crl_file is ''");
    CHECK_FALSE(is_awaited(enforcement_of(json::array({unread}))));
    CHECK(has(drawn(json::array({unread})),
              "postgres  thanos   takes it until it ends at 2026-12-01: ssl_crl_file is ''"));
    // Of several certificates, the one that is treated worst.
    CHECK(has(drawn(json::array({unread, mesh()})), "ssl_crl_file"));
    CHECK(has(drawn(json::array({mesh(), unread})), "ssl_crl_file"));
}

TEST_CASE("a mesh of one node has no peers, a node without Vault's certificate refuses nobody") {
    json const one{
        {"nodes",
         {{{"node", "alone"}, {"verifiers", json::array({verifier("redis", "alone", "never")})}}}}};
    auto const told = enforcement_of(json::array({one}));
    CHECK(told["peers"]["nodes"] == 0);
    CHECK_FALSE(is_awaited(told));
    CHECK_FALSE(has(drawn(json::array({one})), "peers"));
    auto mixed = mesh();
    mixed["nodes"][0]["verifiers"].erase(0);
    CHECK(has(drawn(json::array({mixed})), "oracle1  not yet: its daemon has no certificate"));
}

TEST_CASE("a serial that is not in use is looked for among what the nodes keep") {
    json const kept{{"serial", "0a1b2c3d4e"}, {"service", "redis"}, {"certificate", "PEM"}};
    json const answer{{"nodes",
                       {{{"node", "thanos"}, {"kept", json::array({kept, kept})}},
                        {{"node", "oracle1"}, {"kept", json::array()}}}}};
    auto const selected = select_kept(answer, "0a1b2c3d");
    REQUIRE(selected.has_value());
    CHECK((*selected)["certificates"].size() == 1);
    json const nowhere{{"nodes", {{{"node", "thanos"}, {"kept", json::array()}}}},
                       {"not_answering", {{{"node", "starlord"}, {"why", "no route"}}}}};
    auto const none = select_kept(nowhere, "0a1b2c3d");
    REQUIRE(none.has_error());
    CHECK(none.error().code == errc::not_found);
    CHECK(has(none.error().doing, "not asked: starlord"));
    CHECK(has(none.error().doing, "--certificate FILE"));
}

}  // namespace bevmesh::cli
