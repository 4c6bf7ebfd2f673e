#include "registrar/networks.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

docker::container on(std::map<std::string, docker::network_endpoint> networks) {
    auto c = test::container("app");
    c.networks = std::move(networks);
    return c;
}

std::string chosen(docker::container const& c, std::string const& named,
                   std::vector<std::string> const& preferred, desired& out) {
    auto const* e = choose_network(c, named, preferred, c, out);
    return e ? e->ip : "none";
}

docker::container const two =
    on({{"bev_b", {"", "10.2.0.5", ""}}, {"bev_a", {"", "10.1.0.5", ""}}});

}  // namespace

TEST_CASE("a network is chosen by name, then by preference, then by rule") {
    desired out;
    CHECK(chosen(two, "bev_b", {"bev_a"}, out) == "10.2.0.5");
    CHECK(chosen(two, "", {"none", "bev_b"}, out) == "10.2.0.5");
    CHECK(out.notes.empty());
    CHECK(chosen(two, "", {}, out) == "10.1.0.5");
    CHECK(test::has_note(out, "several-networks"));
    CHECK_FALSE(out.incomplete);
}

TEST_CASE("a network may be named without Compose's project") {
    auto c = two;
    c.labels["com.docker.compose.project"] = "bev";
    desired out;
    CHECK(chosen(c, "b", {}, out) == "10.2.0.5");
    CHECK(chosen(c, "", {"b"}, out) == "10.2.0.5");
    c.networks["b"] = {"", "10.3.0.5", ""};
    CHECK(chosen(c, "b", {}, out) == "10.3.0.5");
}

TEST_CASE("a named network that the container is not on gives no address") {
    desired out;
    CHECK(chosen(two, "other", {}, out) == "none");
    CHECK(test::has_note(out, "network-missing"));
}

TEST_CASE("an address that is not there yet is waited for") {
    desired out;
    CHECK(chosen(on({{"a", {}}}), "a", {}, out) == "none");
    CHECK(out.incomplete);
    out = {};
    CHECK(chosen(on({{"a", {}}}), "", {}, out) == "none");
    CHECK(out.incomplete);
}

TEST_CASE("Swarm's own networks are not where one connects") {
    desired out;
    CHECK(chosen(on({{"ingress", {"", "10.0.0.3", ""}}, {"mesh", {"", "10.0.1.3", ""}}}), "", {},
                 out) == "10.0.1.3");
    CHECK(chosen(on({{"ingress", {"", "10.0.0.3", ""}}}), "", {}, out) == "10.0.0.3");
}
