// Random containers: whatever is in them, nothing crashes, nothing depends on an order that Docker
// does not promise, and what comes out is what Consul takes.
#include <algorithm>
#include <random>
#include <set>

#include "registrar/desired.hpp"
#include "registrar/ip_text.hpp"
#include "registrar/limits.hpp"
#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

class maker {
public:
    explicit maker(unsigned seed) : random_(seed) {}

    docker::container container() {
        auto c = test::container(pick({"web-1", "a_b.c", "", "x"}));
        c.id = std::string(64, pick({"a", "b", "c"})[0]);
        c.image =
            pick({"app:1", "r.example:5000/x/y@sha256:0", "sha256:00", "", "///", ":", "@", "A_B"});
        c.network_mode = pick({"bridge", "bridge", "bev_net", "bev_net", "host", "none",
                               "container:peer", "container:", "container:gone"});
        c.state =
            below(4) != 0 ? docker::run_state::running : static_cast<docker::run_state>(below(7));
        c.health = static_cast<docker::health>(below(4));
        for (unsigned n = 1 + below(3); n > 0; --n)
            add_port(c);
        for (unsigned n = below(4); n > 0; --n)
            c.networks[pick({"bev_net", "bev_a", "front", "ingress", ""})] = {
                "", pick({"172.30.0.2", "", "nonsense"}), pick({"", "fd00::2"})};
        for (unsigned n = below(7); n > 0; --n)
            c.labels[label()] = value();
        // Docker keeps variables in order and the last of a name counts: each name once.
        std::map<std::string, std::string> env;
        for (unsigned n = below(6); n > 0; --n)
            env[key()] = value();
        for (auto const& [name, text] : env)
            c.env.push_back(name + "=" + text);
        if (below(9) == 0) c.env.push_back(pick({"SERVICE_NAME", "", "=", "=x"}));
        return c;
    }

    mesh_config config(mesh_config base) {
        base.registrar.compose = below(2) == 0;
        auto& compat = base.registrar.compat;
        compat.enabled = below(4) != 0;
        compat.internal = below(4) == 0;
        compat.explicit_only = below(4) == 0;
        compat.ip = pick({"", "", "10.1.1.1", "0.0.0.0"});
        compat.tags = pick({"", "a,b", "{{.Config.Hostname}}", "{{bad", "{{httpGet \"x\"}}"});
        compat.use_ip_from_label = pick({"", "ip"});
        if (below(3) == 0) {
            auto service = test::configured("conf", "web-1", number(pick({"80", "8080", "0"})));
            service.instances[0].ports = {{"admin", 9000}};
            service.mode = below(2) == 0 ? address_mode::host : address_mode::container;
            base.services.push_back(service);
        }
        return base;
    }

    template <class Range>
    void shuffle(Range& range) {
        std::shuffle(range.begin(), range.end(), random_);
    }

private:
    unsigned below(unsigned n) {
        return std::uniform_int_distribution<unsigned>(0, n - 1)(random_);
    }

    std::string pick(std::vector<std::string> const& from) {
        return from[below(static_cast<unsigned>(from.size()))];
    }

    static std::uint16_t number(std::string const& text) {
        return static_cast<std::uint16_t>(std::stoi(text));
    }

    void add_port(docker::container& c) {
        docker::port_key const key{number(pick({"80", "443", "53", "9000", "0", "65535"})),
                                   pick({"tcp", "tcp", "udp", "sctp"})};
        if (below(2) == 0 && std::ranges::find(c.exposed, key) == c.exposed.end())
            c.exposed.push_back(key);
        for (unsigned n = 1 + below(2); n > 0; --n) {
            docker::port_binding const b{
                pick({"", "0.0.0.0", "::", "127.0.0.1", "10.9.0.1", "fd00::1", "x"}),
                number(pick({"8080", "80", "0", "65535"}))};
            c.ports[key].push_back(b);
            if (below(2) == 0) c.wanted_ports[key].push_back(b);
        }
    }

    std::string key() {
        return "SERVICE_" +
               pick({"", "80_", "443_", "80_tcp_", "53_UDP_", "0_", "65536_", "1-99_", "_"}) +
               pick({"NAME", "ID", "TAGS", "IGNORE", "CHECK_HTTP", "CHECK_SCRIPT", "CHECK_TTL",
                     "CHECK_TCP", "CHECK_INTERVAL", "CHECK_HEADER", "CHECK_INITIAL_STATUS", "IP",
                     "META_X", "x y", ""});
    }

    std::string label() {
        switch (below(3)) {
            case 0:
                return key();
            case 1:
                return "bevmesh." + pick({"enable",
                                          "name",
                                          "port",
                                          "80.name",
                                          "53/udp.name",
                                          "tags",
                                          "meta.k",
                                          "meta.",
                                          "network",
                                          "address",
                                          "address_mode",
                                          "health",
                                          "check.1.http",
                                          "check.1.interval",
                                          "check.2.script",
                                          "80.check.1.tcp",
                                          "check.1.header",
                                          "",
                                          ".",
                                          "80.",
                                          "check.",
                                          "check..",
                                          "check.1.",
                                          "x"});
            default:
                return pick({"com.docker.compose.service", "com.docker.compose.project",
                             "com.docker.compose.oneoff", "com.docker.swarm.service.name",
                             "com.docker.swarm.task.id", "traefik.docker.network", "ip", ""});
        }
    }

    std::string value() {
        return pick({"",
                     "true",
                     "false",
                     "80",
                     "0",
                     "65536",
                     "abc",
                     "web",
                     "a,b",
                     R"(a\,b\)",
                     "/health",
                     "10s",
                     "1x",
                     "container",
                     "mirror",
                     "front",
                     "10.2.2.2/8",
                     "::1",
                     "'",
                     "\"",
                     "{{",
                     "{{.Name}}",
                     "{\"a\":[1]}",
                     "\xff\xfe",
                     std::string(1, '\0'),
                     "x\ny",
                     std::string(5000, 'v'),
                     std::string(2000, ',')});
    }

    std::mt19937 random_;
};

void check_what_consul_takes(registration const& r) {
    auto const& s = r.service;
    CHECK(is_plain_text(s.id));
    CHECK(is_plain_text(s.name));
    CHECK_FALSE(s.id.empty());
    CHECK_FALSE(s.name.empty());
    CHECK_FALSE(is_wildcard(s.address));
    CHECK(s.meta.size() <= most_meta_pairs);
    std::set<std::string> seen;
    for (auto const& c : r.checks) {
        auto const& d = c.definition;
        CHECK(seen.insert(d.id).second);
        int const kinds = !d.http.empty() + !d.tcp.empty() + !d.udp.empty() + !d.grpc.empty() +
                          !d.h2ping.empty() + !d.args.empty() + d.ttl.has_value() +
                          (!d.alias_service.empty() || !d.alias_node.empty());
        CHECK(kinds == 1);
        bool const runs = !d.ttl && d.alias_service.empty() && d.alias_node.empty();
        CHECK(d.interval.has_value() == runs);
        CHECK(d.failures_before_warning <= d.failures_before_critical);
        CHECK((!c.probe || c.probe->port != 0));
    }
}

}  // namespace

TEST_CASE("random containers give what Consul takes, the same for every order") {
    std::map<origin, unsigned> services;
    unsigned checks = 0;
    unsigned notes = 0;
    for (unsigned seed = 1; seed <= 12'000; ++seed) {
        CAPTURE(seed);
        maker make(seed);
        test::node_fixture node;
        node.config = make.config(node.config);
        node.others = {test::container("peer")};
        auto c = make.container();
        auto const first = node.services(c);
        std::set<std::string> ids;
        for (auto const& r : first.services) {
            CHECK(ids.insert(r.service.id).second);
            check_what_consul_takes(r);
            ++services[r.source];
            checks += static_cast<unsigned>(r.checks.size());
        }
        notes += static_cast<unsigned>(first.notes.size());
        for (auto const& n : first.notes) {
            CHECK_FALSE(n.code.empty());
            CHECK(is_utf8(n.text));
        }
        make.shuffle(c.env);
        make.shuffle(c.exposed);
        CHECK(node.services(c) == first);
    }
    // A generator that makes nothing proves nothing.
    for (auto const source :
         {origin::configured, origin::labels, origin::compat, origin::compose, origin::swarm}) {
        CAPTURE(name(source));
        CHECK(services[source] > 30);
    }
    CHECK(checks > 1000);
    CHECK(notes > 12'000);
}
