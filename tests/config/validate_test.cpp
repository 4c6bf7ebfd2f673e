#include "config/validate.hpp"

#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

lines problems_after_head(std::string const& text) {
    return problems_of(head + text);
}

// Problems of services, whose first is in line 4.
lines problems_of_services(std::string const& text) {
    return problems_after_head("services:\n" + text);
}

}  // namespace

TEST_CASE("nodes have addresses of their own that others can reach") {
    CHECK(
        problems_of("mesh: {name: bev}\n"
                    "nodes:\n"
                    "  a: {address: 10.0.0.1}\n"
                    "  b: {address: 10.0.0.1}\n"
                    "  c: {address: 127.0.0.1}\n") ==
        lines{"f:4:16: nodes.b.address: 10.0.0.1 is the address of node a too; expected an address "
              "of its own for each node",
              "f:5:16: nodes.c.address: 127.0.0.1 is a loopback address, which reaches no other "
              "node; expected an address that the other nodes can connect to"});
    CHECK(problems_of("mesh: {name: bev}\nnodes: {a: {address: 127.0.0.1}}\n").empty());
    CHECK(problems_of("mesh: {name: bev}\nnodes: {}\n") ==
          lines{"f:2:8: nodes: is empty; expected one node or more"});
}

TEST_CASE("a name that is none is not quoted raw in what is said of others") {
    CHECK(
        problems_of("mesh: {name: bev}\n"
                    "nodes: {\"a\\nb\": {address: 10.0.0.1}, n1: {address: 10.0.0.1}}\n"
                    "services: {s: {match: {container: ss}, nodes: [n2]}}\n") ==
        lines{
            "f:2:9: nodes.\"a\\nb\": \"a\\nb\" is not valid as a key; expected a DNS label (RFC "
            "1123): a-z, 0-9 and -, at most 63, no - at either end",
            "f:2:52: nodes.n1.address: 10.0.0.1 is the address of node \"a\\nb\" too; expected an "
            "address of its own for each node",
            "f:3:48: services.s.nodes[0]: \"n2\" is no node of this mesh, did you mean n1; "
            "expected one of n1"});
}

TEST_CASE("subnets share no address, with each other or with the nodes") {
    CHECK(problems_after_head("networks:\n"
                              "  a: {subnet: 172.30.0.0/16, nodes: [n1]}\n"
                              "  b: {subnet: 172.30.7.0/24, nodes: [n2]}\n"
                              "  c: {subnet: 10.0.0.0/24, nodes: [n1, n3]}\n"
                              "  d: {subnet: 172.31.0.1/16, nodes: [n1]}\n") ==
          lines{"f:5:15: networks.b.subnet: 172.30.7.0/24 overlaps with 172.30.0.0/16 of a; "
                "expected subnets that share no address",
                "f:6:15: networks.c.subnet: 10.0.0.0/24 has the address of node n1 in it; expected "
                "a subnet apart from the nodes' addresses",
                "f:6:15: networks.c.subnet: 10.0.0.0/24 has the address of node n2 in it; expected "
                "a subnet apart from the nodes' addresses",
                "f:6:40: networks.c.nodes[1]: \"n3\" is no node of this mesh, did you mean n1; "
                "expected one of n1, n2",
                "f:7:15: networks.d.subnet: \"172.31.0.1/16\" is not valid; expected a subnet in "
                "CIDR notation with no bit set behind the prefix, such as 172.30.0.0/16"});
}

TEST_CASE("Consul's TLS settings come together, and with https") {
    CHECK(
        problems_after_head("consul: {cert_file: /c}\n") ==
        lines{"f:3:21: consul.cert_file: has no use: the agent is not asked by TLS; expected "
              "consul.address to begin with https://",
              "f:3:21: consul.cert_file: stands alone; expected cert_file and key_file together"});
}

TEST_CASE("Consul asked by Vault's certificates needs TLS, a Vault, and an agent with its names") {
    std::string const vault = "vault: {addresses: ['https://10.0.0.1:8200']}\n";
    std::string const https = "consul: {address: 'https://127.0.0.1:8501', certificates: vault";
    CHECK(problems_after_head(vault + https + "}\n").empty());
    CHECK(problems_after_head(https + "}\n") ==
          lines{"f:3:59: consul.certificates: is vault, and there is none; expected the section "
                "`vault`"});
    CHECK(problems_after_head(vault + "consul: {certificates: vault}\n") ==
          lines{"f:4:24: consul.certificates: has no use: the agent is not asked by TLS; expected "
                "consul.address to begin with https://"});
    CHECK(problems_after_head(vault + https + ", cert_file: /c, key_file: /k}\n") ==
          lines{"f:4:77: consul.cert_file: stands beside Vault's without the CA that it is for; "
                "expected ca_file with it"});
    auto const tls = ", tls: {recipe: consul, folder: /etc/consul.d/tls, owner: 998}}\n";
    CHECK(problems_after_head(vault + https + tls).empty());
    CHECK(problems_after_head("consul: {address: 'https://127.0.0.1:8501'" + std::string(tls)) ==
          lines{"f:3:50: consul.tls: needs a Vault that signs it; expected the section `vault`"});
    CHECK(problems_after_head(vault + "consul: {address: 'https://10.0.0.2:8501'" + tls).empty());
    for (auto const* const address :
         {"https://localhost:8501", "https://127.0.0.2:8501", "127.0.0.1:8500"})
        CHECK(problems_after_head(vault + "consul: {address: '" + address + "'" + tls).size() == 1);
    CHECK(problems_after_head(vault + https +
                              ", tls: {recipe: docker_signal, folder: /etc/consul.d/tls}}\n")
              .size() == 1);
    CHECK(problems_after_head(vault + https + tls +
                              "services: {consul: {host: true, port: 8501, tls: {recipe: consul, "
                              "folder: /etc/consul.d/tls}}}\n")
              .size() == 1);
}

TEST_CASE("a service is on nodes of the mesh") {
    CHECK(
        problems_of_services("  web: {match: {container: web}, port: 80, nodes: [n1, m2, n1]}\n") ==
        lines{"f:4:56: services.web.nodes[1]: \"m2\" is no node of this mesh, did you mean n2; "
              "expected one of n1, n2",
              "f:4:60: services.web.nodes[2]: \"n1\" is there twice; expected each node once"});
}

TEST_CASE("where the nodes have a problem, services are not blamed for it") {
    CHECK(problems_of("mesh: {name: bev}\n"
                      "nodes: [n1]\n"
                      "services: {web: {match: {container: web}, port: 80, nodes: [n1]}}\n") ==
          lines{"f:2:8: nodes: is a list; expected a mapping of nodes, such as {thanos: {address: "
                "10.0.0.1}}"});
}

TEST_CASE("a port is taken once on a node, whoever takes it") {
    CHECK(problems_of_services("  a: {match: {container: a1}, port: 80, nodes: [n1]}\n"
                               "  b: {match: {container: b1}, port: 80, nodes: [n2]}\n"
                               "  c: {match: {container: c1}, port: 81, ports: {x: 80}}\n"
                               "  d: {host: true, port: 80, protocol: udp}\n") ==
          lines{"f:6:52: services.c.ports.x: 80/tcp on n1 is taken by services.a.port (line 4); "
                "expected each port once on a node",
                "f:6:52: services.c.ports.x: 80/tcp on n2 is taken by services.b.port (line 5); "
                "expected each port once on a node"});
    CHECK(problems_of_services("  a:\n"
                               "    instances:\n"
                               "      - {match: {container: a1}, port: 80, nodes: [n1]}\n"
                               "      - {match: {container: a2}, port: 80, nodes: [n1, n2]}\n") ==
          lines{"f:7:40: services.a.instances[1].port: 80/tcp on n1 is taken by "
                "services.a.instances[0].port (line 6); expected each port once on a node"});
}

TEST_CASE("containers with addresses of their own may use the same port") {
    CHECK(problems_of_services("  a: {match: {container: a1}, port: 80, mode: container}\n"
                               "  b: {match: {container: b1}, port: 80, mode: container}\n")
              .empty());
    CHECK(
        problems_of_services("  a: {match: {container: a1}, port: 80, mode: container, ports: {x: "
                             "80}}\n")
            .size() == 1);
    CHECK(problems_of_services("  a: {host: true, address: 10.0.0.7, port: 80, nodes: [n1]}\n"
                               "  b: {host: true, address: 10.0.0.8, port: 80, nodes: [n1]}\n")
              .empty());
}

TEST_CASE("a service's name is a DNS label, and so is each that its ports make") {
    std::string const name(60, 'a');
    CHECK(problems_of_services("  Web_1: {match: {container: web}, port: 80}\n"
                               "  db: {match: {container: db}, port: 81, ports: {admin: 82}}\n"
                               "  db-admin: {match: {container: dba}, port: 83}\n"
                               "  " +
                               name +
                               ": {match: {container: xx}, port: 84, ports: {admin: 85}}\n") ==
          lines{"f:4:3: services.Web_1: \"Web_1\" is not valid as a key; expected a DNS label (RFC "
                "1123): a-z, 0-9 and -, at most 63, no - at either end",
                "f:5:57: services.db.ports.admin: \"db-admin\" is a service of its own; expected "
                "another key, as the service of this port is called NAME-KEY",
                "f:7:115: services." + name + ".ports.admin: \"" + name +
                    "...\" would be the service's name; expected a DNS label (RFC 1123): a-z, 0-9 "
                    "and -, at most 63, no - at either end"});
}

TEST_CASE("an instance says which container it is, or that it is none") {
    CHECK(problems_of_services("  a: {port: 80}\n"
                               "  b: {match: {}, port: 81}\n"
                               "  c: {host: true, match: {container: c1}, port: 82}\n"
                               "  d: {host: true}\n"
                               "  e: {host: true, port: 83, mode: container}\n") ==
          lines{"f:4:6: services.a: does not say which container it is; expected `match` with "
                "container, compose, label or image, or `host: true`",
                "f:5:6: services.b: does not say which container it is; expected `match` with "
                "container, compose, label or image, or `host: true`",
                "f:6:26: services.c.match: stands beside `host: true`; expected one of both: a "
                "container, or a process of the node",
                "f:7:6: services.d.port: is missing; expected the port of the process (host: true)",
                "f:8:35: services.e.mode: is container, and the service is none (host: true); "
                "expected host"});
    // A misspelt `match` is one problem, not two.
    CHECK(problems_of_services("  a: {mach: {container: a1}, port: 80}\n").size() == 1);
}

TEST_CASE("tags and meta are within Consul's limits") {
    CHECK(problems_of_services(
              "  a: {match: {container: a1}, port: 80, tags: [x, x], meta: {consul-a: "
              "b}}\n") ==
          lines{"f:4:51: services.a.tags[1]: \"x\" is there twice; expected each tag once",
                "f:4:62: services.a.meta.consul-a: \"consul-a\" is not valid as a key; "
                "expected a key "
                "of at most 128 of A-Z, a-z, 0-9, _ and -, none of consul-*, bevmesh-* and "
                "external-source, which are reserved"});
    std::string meta;
    for (int i = 0; i < 57; ++i)
        meta += "k" + std::to_string(i) + ": v, ";
    CHECK(problems_of_services("  a: {match: {container: a1}, port: 80, meta: {" + meta + "}}\n") ==
          lines{"f:4:47: services.a.meta: has 57 pairs; expected 56 at most (Consul takes 64, the "
                "others are bevmesh's marks)"});
}

TEST_CASE("a check is of a port that each instance has, and of its protocol") {
    CHECK(
        problems_of_services("  a:\n"
                             "    checks: [tcp: {port: admin}]\n"
                             "    instances:\n"
                             "      - {match: {container: a1}, port: 80, ports: {admin: 81}}\n"
                             "      - {match: {container: a2}, port: 82, ports: {stats: 83}}\n") ==
        lines{"f:5:26: services.a.checks[0].tcp.port: \"admin\" is no port of the service's "
              "every "
              "instance; expected one of stats"});
    CHECK(problems_of_services(
              "  a: {match: {container: a1}, port: 53, protocol: udp, checks: [tcp]}\n"
              "  b: {match: {container: b1}, port: 54, checks: [udp: {}]}\n") ==
          lines{"f:4:65: services.a.checks[0].tcp: cannot test a port of protocol udp; "
                "expected udp, "
                "script, docker, ttl or alias",
                "f:5:55: services.b.checks[0].udp: cannot test a port of protocol tcp; "
                "expected any "
                "kind but udp"});
}

TEST_CASE("a check's settings fit together") {
    CHECK(problems_of_services("  a:\n"
                               "    match: {container: a1}\n"
                               "    port: 80\n"
                               "    checks:\n"
                               "      - tcp: {failures_before_warning: 2}\n"
                               "      - http: {path: /, failures_before_warning: 3}\n"
                               "      - tcp: {tls_skip_verify: true}\n"
                               "      - alias: {service: b, node: n9}\n") ==
          lines{"f:8:40: services.a.checks[0].tcp.failures_before_warning: 2 is more than the 1 "
                "that "
                "make it critical; expected failures_before_critical or less",
                "f:10:14: services.a.checks[2].tcp: has settings for TLS and does not speak it; "
                "expected `tls: true`",
                "f:11:35: services.a.checks[3].alias.node: \"n9\" is no node of this mesh, did you "
                "mean n1; expected one of n1, n2"});
    CHECK(problems_of_services("  a: {host: true, port: 80, checks: [docker: [x]]}\n") ==
          lines{"f:4:46: services.a.checks[0].docker: runs in a container, and the service is none "
                "(host: true); expected another kind"});
}

TEST_CASE("a configuration that is from no document is checked all the same") {
    mesh_config config;
    config.name = "bev";
    config.services.push_back({});
    config.services.back().name = "web";
    config.services.back().instances.emplace_back();
    auto const problems = validate(config, locations());
    REQUIRE(problems.size() == 2);
    CHECK(to_string(problems[0]) == "nodes: is empty; expected one node or more");
    CHECK(problems[1].key == "services.web");
}

}  // namespace bevmesh::config
