#include "registrar/address.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

struct outcome {
    std::optional<endpoint> at;
    desired out;
};

outcome find(docker::container const& c, test::node_fixture const& node,
             docker::port_key const& key, address_wish const& wish = {}) {
    auto const where = node.where();
    auto const place = place_of(c, where);
    outcome result;
    for (auto const& port : ports_of(c, place, wish.mode))
        if (port.inner == key) result.at = endpoint_of(port, place, wish, where, c, result.out);
    return result;
}

address_wish by_container() {
    address_wish wish;
    wish.mode = address_mode::container;
    return wish;
}

docker::container bound_to(std::initializer_list<docker::port_binding> bindings) {
    auto c = test::container("app");
    c.ports[{80, "tcp"}] = bindings;
    c.wanted_ports = c.ports;
    return c;
}

}  // namespace

TEST_CASE("the order of addresses: explicit, configured, the binding's, the node's") {
    test::node_fixture node;
    auto const everywhere = bound_to({{"0.0.0.0", 8080}});
    auto const specific = bound_to({{"10.9.0.1", 8080}});
    CHECK(find(everywhere, node, {80, "tcp"}).at == endpoint{"100.122.12.54", 8080, {}});
    CHECK(find(specific, node, {80, "tcp"}).at == endpoint{"10.9.0.1", 8080, {}});
    address_wish wish;
    wish.configured = "10.8.0.1";
    CHECK(find(specific, node, {80, "tcp"}, wish).at == endpoint{"10.8.0.1", 8080, {}});
    wish.address = "10.7.0.1";
    CHECK(find(specific, node, {80, "tcp"}, wish).at == endpoint{"10.7.0.1", 8080, {}});
}

TEST_CASE("loopback bindings are not announced, with a note") {
    test::node_fixture node;
    for (auto const* ip : {"127.0.0.1", "127.1.2.3", "::1"}) {
        CAPTURE(ip);
        auto const c = bound_to({{ip, 8080}});
        auto const found = find(c, node, {80, "tcp"});
        CHECK_FALSE(found.at);
        CHECK(test::has_note(found.out, "loopback-binding"));
        CHECK_FALSE(found.out.incomplete);
        address_wish wish;
        wish.configured = "10.8.0.1";
        CHECK_FALSE(find(c, node, {80, "tcp"}, wish).at);
        wish.address = "10.7.0.1";
        CHECK(find(c, node, {80, "tcp"}, wish).at == endpoint{"10.7.0.1", 8080, {}});
    }
}

TEST_CASE("on a mesh that is itself on loopback, loopback is as good as any") {
    test::node_fixture node;
    node.config.nodes["thanos"].address = "127.0.0.1";
    CHECK(find(bound_to({{"127.0.0.1", 8080}}), node, {80, "tcp"}).at ==
          endpoint{"127.0.0.1", 8080, {}});
}

TEST_CASE("of several bindings one: what the mesh reaches, then IPv4, then IPv6") {
    test::node_fixture node;
    struct row {
        std::vector<docker::port_binding> bindings;
        std::string address;
        int port;
    };
    for (auto const& r :
         std::vector<row>{{{{"0.0.0.0", 1}, {"::", 2}}, "100.122.12.54", 1},
                          {{{"::", 2}, {"0.0.0.0", 1}}, "100.122.12.54", 1},
                          {{{"127.0.0.1", 1}, {"10.9.0.1", 2}}, "10.9.0.1", 2},
                          {{{"10.9.0.1", 1}, {"100.122.12.54", 2}}, "100.122.12.54", 2},
                          {{{"10.9.0.1", 1}, {"", 2}}, "100.122.12.54", 2},
                          {{{"2001:db8::1", 1}, {"10.9.0.1", 2}}, "10.9.0.1", 2},
                          {{{"169.254.3.4", 1}, {"2001:db8::1", 2}}, "2001:db8::1", 2},
                          {{{"fe80::1", 1}, {"169.254.3.4", 2}}, "169.254.3.4", 2},
                          {{{"::", 7}}, "100.122.12.54", 7},
                          {{{"0.0.0.0", 0}, {"10.9.0.1", 2}}, "10.9.0.1", 2},
                          {{{"0.0.0.0", 5}, {"0.0.0.0", 4}}, "100.122.12.54", 5}}) {
        docker::container c = test::container("app");
        c.ports[{80, "tcp"}] = r.bindings;
        auto const found = find(c, node, {80, "tcp"});
        REQUIRE(found.at);
        CHECK(found.at->address == r.address);
        CHECK(found.at->port == r.port);
    }
}

TEST_CASE("both families are tagged where both are known") {
    test::node_fixture node;
    auto const found =
        find(bound_to({{"0.0.0.0", 8080}, {"2001:db8::1", 8081}}), node, {80, "tcp"});
    REQUIRE(found.at);
    CHECK(found.at->tagged.at("lan_ipv4") ==
          std::pair<std::string, std::uint16_t>("100.122.12.54", 8080));
    CHECK(found.at->tagged.at("lan_ipv6") ==
          std::pair<std::string, std::uint16_t>("2001:db8::1", 8081));
    CHECK(find(bound_to({{"0.0.0.0", 1}, {"::", 1}}), node, {80, "tcp"}).at->tagged.empty());

    auto c = test::container("app");
    c.exposed = {{80, "tcp"}};
    c.networks["bridge"].ip6 = "fd00::2";
    auto const inside = find(c, node, {80, "tcp"}, by_container());
    REQUIRE(inside.at);
    CHECK(inside.at->address == "172.17.0.2");
    CHECK(inside.at->tagged.size() == 2);
    c.networks["bridge"].ip.clear();
    CHECK(find(c, node, {80, "tcp"}, by_container()).at == endpoint{"fd00::2", 80, {}});
}

TEST_CASE("a published port that is not bound yet is looked at again") {
    test::node_fixture node;
    auto c = bound_to({{"0.0.0.0", 8080}});
    SECTION("no entry") {
        c.ports.clear();
    }
    SECTION("an empty one") {
        c.ports[{80, "tcp"}].clear();
    }
    SECTION("a binding without port") {
        c.ports[{80, "tcp"}] = {{"0.0.0.0", 0}};
    }
    auto const found = find(c, node, {80, "tcp"});
    CHECK_FALSE(found.at);
    CHECK(found.out.incomplete);
    CHECK(found.out.notes.empty());
}

TEST_CASE("an exposed port that nobody publishes is nothing, and not awaited") {
    test::node_fixture node;
    auto c = test::container("app");
    c.exposed = {{80, "tcp"}};
    c.ports[{80, "tcp"}] = {};
    auto const found = find(c, node, {80, "tcp"});
    CHECK_FALSE(found.at);
    CHECK_FALSE(found.out.incomplete);
}

TEST_CASE("a restarting container keeps the ports it asked for by number") {
    test::node_fixture node;
    auto c = bound_to({{"0.0.0.0", 8080}});
    c.ports.clear();
    c.state = docker::run_state::restarting;
    CHECK(find(c, node, {80, "tcp"}).at == endpoint{"100.122.12.54", 8080, {}});
    c.wanted_ports[{80, "tcp"}] = {{"", 0}};
    CHECK(find(c, node, {80, "tcp"}).out.incomplete);
}

TEST_CASE("on the node's network the exposed port is the node's") {
    test::node_fixture node;
    auto c = test::container("app");
    c.network_mode = "host";
    c.networks = {{"host", {}}};
    c.exposed = {{9100, "tcp"}};
    CHECK(find(c, node, {9100, "tcp"}).at == endpoint{"100.122.12.54", 9100, {}});
    CHECK(find(c, node, {9100, "tcp"}, by_container()).at == endpoint{"100.122.12.54", 9100, {}});
}

TEST_CASE("on another container's network its bindings and its address count") {
    test::node_fixture node;
    auto holder = bound_to({{"0.0.0.0", 8080}});
    holder.id = std::string(64, 'b');
    holder.ports[{9000, "tcp"}] = {{"0.0.0.0", 9000}};
    node.others = {holder};
    auto c = test::container("sidecar");
    c.network_mode = "container:" + holder.id;
    c.networks.clear();
    c.exposed = {{80, "tcp"}};
    CHECK(find(c, node, {80, "tcp"}).at == endpoint{"100.122.12.54", 8080, {}});
    CHECK_FALSE(find(c, node, {9000, "tcp"}).at);
    CHECK(find(c, node, {80, "tcp"}, by_container()).at == endpoint{"172.17.0.2", 80, {}});

    node.others[0].network_mode = "host";
    CHECK(find(c, node, {80, "tcp"}).at == endpoint{"100.122.12.54", 80, {}});
}

TEST_CASE("containers in a circle of networks are in none") {
    test::node_fixture node;
    auto a = test::container("a");
    a.network_mode = "container:b";
    auto b = test::container("b");
    b.network_mode = "container:a";
    node.others = {a, b};
    CHECK(place_of(a, node.where()).is == network_place::kind::unknown);
}

TEST_CASE("a container without network has no ports") {
    test::node_fixture node;
    auto c = bound_to({{"0.0.0.0", 8080}});
    c.network_mode = "none";
    CHECK_FALSE(find(c, node, {80, "tcp"}).at);
    CHECK_FALSE(find(c, node, {80, "tcp"}, by_container()).at);
}
