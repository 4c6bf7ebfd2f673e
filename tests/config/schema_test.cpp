#include "config/schema.hpp"

#include <functional>

#include "config/yaml_text.hpp"
#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

// Problems of a document that begins with the two lines it needs.
lines problems_after_head(std::string const& text) {
    return problems_of(head + text);
}

// Problems of one entry of `checks`, in line 3 from column 1.
lines problems_of_check(std::string const& check) {
    return problems_after_head("services: {web: {match: {container: web}, port: 80, checks: [" +
                               check + "]}}\n");
}

using visitor = std::function<void(std::string const& path, json const& properties)>;

// Every mapping with known keys in the JSON Schema.
void visit(json const& schema, std::string const& path, visitor const& see) {
    if (!schema.is_object()) return;
    if (schema.contains("properties") && schema.contains("additionalProperties")) {
        see(path, schema["properties"]);
        for (auto const& [key, value] : schema["properties"].items())
            visit(value, join(path, key), see);
    }
    if (schema.contains("additionalProperties"))
        visit(schema["additionalProperties"], path + ".*", see);
    if (schema.contains("items")) visit(schema["items"], path + "[]", see);
    if (schema.contains("anyOf"))
        for (auto const& one : schema["anyOf"])
            visit(one, path, see);
}

}  // namespace

TEST_CASE("a scalar of the wrong kind is told with what was expected") {
    CHECK(problems_after_head("log: {level: [info], format: 5}\n") ==
          lines{"f:3:14: log.level: is a list; expected one of debug, info, warning, error",
                "f:3:30: log.format: \"5\" is not known; expected one of text, json"});
    CHECK(
        problems_after_head("state_dir:\napi: {socket: {}}\n") ==
        lines{"f:3:1: state_dir: has no value; expected an absolute path",
              "f:4:15: api.socket: is a mapping; expected an absolute path of at most 107 bytes"});
    CHECK(problems_after_head("state_dir: \"\"\n") ==
          lines{"f:3:12: state_dir: is empty; expected an absolute path, or the key left out"});
    CHECK(problems_after_head("registrar: {compose: yes, compat: {internal: \"true\"}}\n") ==
          lines{"f:3:22: registrar.compose: is \"yes\"; expected true or false",
                "f:3:46: registrar.compat.internal: is the text \"true\"; expected true or false"});
    CHECK(problems_after_head("docker: unix:///run/docker.sock\nconsul: []\n") ==
          lines{"f:3:9: docker: is \"unix:///run/docker.sock\"; expected Docker's engine, such as "
                "{address: unix:///run/docker.sock}",
                "f:4:9: consul: is a list; expected Consul's agent, such as {address: "
                "127.0.0.1:8500}"});
}

TEST_CASE("a section without a value has its defaults") {
    CHECK(load_text(head + "log:\nconsul: ~\nservices:\n", "f").problems.empty());
}

TEST_CASE("a duration needs a unit, and a range") {
    CHECK(problems_after_head("registrar: {resync: 30}\n") ==
          lines{"f:3:21: registrar.resync: 30 has no unit; expected a duration from 1s to 1h, such "
                "as 500ms, 30s or 1m30s"});
    CHECK(problems_after_head("registrar: {resync: soon}\n") ==
          lines{"f:3:21: registrar.resync: \"soon\" is not a duration; expected a duration from 1s "
                "to 1h, such as 500ms, 30s or 1m30s"});
    CHECK(problems_after_head("registrar: {resync: 2h}\n") ==
          lines{"f:3:21: registrar.resync: 2h is out of range; expected a duration from 1s to 1h, "
                "such as 500ms, 30s or 1m30s"});
    CHECK(load_text(head + "registrar: {resync: 1m30s}\n", "f").value.registrar.resync ==
          milliseconds(90'000));
}

TEST_CASE("a port is a number from 1 to 65535") {
    auto const expected = [](std::string const& what) {
        return lines{"f:3:51: services.web.port: " + what};
    };
    auto const problems = [](std::string const& port) {
        return problems_after_head("services: {web: {match: {container: web},   port: " + port +
                                   "}}\n");
    };
    std::string const tail = "; expected a port from 1 to 65535";
    CHECK(problems("0") == expected("0 is out of range" + tail));
    CHECK(problems("65536") == expected("65536 is out of range" + tail));
    CHECK(problems("-1") == expected("is \"-1\"" + tail));
    CHECK(problems("080") == expected("is \"080\"" + tail));
    CHECK(problems("80.0") == expected("is \"80.0\"" + tail));
    CHECK(problems("http") == expected("is \"http\"" + tail));
    CHECK(problems("'80'") == expected("is the text \"80\"" + tail + ", no quotes"));
    CHECK(problems("65535").empty());
}

TEST_CASE("an unknown key is told with the nearest known one") {
    CHECK(problems_after_head("logs: {}\nregistrar: {compat: {intern: true}}\n") ==
          lines{"f:3:1: logs: unknown key, did you mean log; expected one of mesh, state_dir, "
                "consul, vault, docker, registrar, api, tls, peers, metrics, log, nodes, "
                "networks, services, failover",
                "f:4:22: registrar.compat.intern: unknown key, did you mean internal; expected one "
                "of enabled, internal, explicit, ip, use_ip_from_label, tags, "
                "hostname"});
}

TEST_CASE("a section that this version does not read is refused, not ignored") {
    CHECK(problems_after_head("certs: {}\n") ==
          lines{"f:3:1: certs: is not supported by this version of bevmesh; expected one of mesh, "
                "state_dir, consul, vault, docker, registrar, api, tls, peers, metrics, log, "
                "nodes, networks, services, failover"});
}

TEST_CASE("what is missing is told in the words of the schema") {
    CHECK(problems_of("nodes: {n1: {}}\n") ==
          lines{"f:1:1: mesh: is missing; expected the mesh as a whole",
                "f:1:13: nodes.n1.address: is missing; expected the node's address in the mesh: "
                "what other nodes connect to"});
    CHECK(problems_of("- a\n") ==
          lines{"f:1:1: is a list; expected a configuration with mesh, nodes and services"});
}

TEST_CASE("a check is one kind: alone, with its main setting, or with all of them") {
    auto const read = [](std::string const& check) {
        auto const file = load_text(head +
                                        "services: {web: {match: {container: web}, port: 80, "
                                        "ports: {admin: 81}, checks: [" +
                                        check + "]}}\n",
                                    "f");
        INFO(check);
        REQUIRE(file.problems.empty());
        return file.value.services.at(0).checks.value().at(0);
    };
    CHECK(read("tcp").kind == check_kind::tcp);
    CHECK(read("redis: {}").kind == check_kind::redis);
    CHECK(read("postgres:").kind == check_kind::postgres);
    CHECK(read("http: /health").path == "/health");
    CHECK(read("https: {path: /, tls_skip_verify: true}").tls_skip_verify);
    CHECK(read("ttl: 30s").ttl == milliseconds(30'000));
    CHECK(read("script: [/bin/check, -v]").command == std::vector<std::string>{"/bin/check", "-v"});
    CHECK(read("alias: other").alias_service == "other");
    CHECK(read("grpc: {service: a.B, tls: true}").grpc_service == "a.B");
    CHECK(read("tcp: {port: admin}").port == "admin");
    auto const http = read(
        "http: {path: /health, interval: 10s, timeout: 2s, start_period: 40s, "
        "failures_before_critical: 3, headers: {Accept: [a, b]}}");
    CHECK(http.interval == milliseconds(10'000));
    CHECK(http.timeout == milliseconds(2'000));
    CHECK(http.start_period == milliseconds(40'000));
    CHECK(http.failures_before_critical == 3);
    CHECK(http.headers.at("Accept").size() == 2);
}

TEST_CASE("a check that is no kind, or several, or lacks what it needs, is told") {
    std::string const kinds =
        "tcp, http, https, udp, grpc, h2ping, script, docker, ttl, alias, redis, postgres";
    std::string const at = "f:3:62: services.web.checks[0]";
    CHECK(problems_of_check("tpc") ==
          lines{at + ": \"tpc\" is no kind of check, did you mean tcp; expected one of " + kinds});
    CHECK(
        problems_of_check("{tcp: {}, http: /}") ==
        lines{at + ": has several keys, \"tcp\", \"http\"; expected one kind of check: " + kinds});
    CHECK(problems_of_check("{}") ==
          lines{at + ": names no kind; expected one kind of check: " + kinds});
    CHECK(problems_of_check("[tcp]") ==
          lines{at + ": is a list; expected one kind of check: " + kinds});
    CHECK(problems_of_check("http") ==
          lines{at + ": http alone does not say enough; expected http with its path"});
    CHECK(problems_of_check("http: {}") ==
          lines{"f:3:68: services.web.checks[0].http.path: is missing; expected what to ask for, "
                "such as /health"});
    CHECK(problems_of_check("script: ls -l") ==
          lines{"f:3:70: services.web.checks[0].script.command: is \"ls -l\"; expected a program "
                "and its arguments in a list"});
    CHECK(problems_of_check("redis: 5") ==
          lines{"f:3:69: services.web.checks[0].redis: is \"5\"; expected a mapping of settings, "
                "such as {}"});
    CHECK(problems_of_check("tcp: {path: /}").size() == 1);
}

TEST_CASE("a service has one instance itself, or several in a list") {
    auto const file = load_text(head +
                                    "services:\n"
                                    "  one: {match: {container: one}, port: 1, nodes: [n1]}\n"
                                    "  two:\n"
                                    "    tags: [a]\n"
                                    "    instances:\n"
                                    "      - {match: {container: two-1}, port: 2, nodes: [n1]}\n"
                                    "      - {match: {container: two-2}, port: 3}\n",
                                "f");
    REQUIRE(file.problems.empty());
    auto const& services = file.value.services;
    REQUIRE(services.size() == 2);
    CHECK(services[0].name == "one");
    CHECK(services[0].instances.at(0).port == 1);
    CHECK_FALSE(services[0].checks.has_value());
    CHECK(services[1].instances.at(0).match.container == "two-1");
    CHECK(services[1].tags == std::vector<std::string>{"a"});
    // Where it does not say, it may run anywhere.
    CHECK(services[1].instances.at(1).nodes == std::vector<std::string>{"n1", "n2"});
}

TEST_CASE("an instance's key beside `instances` is refused") {
    CHECK(problems_after_head("services:\n"
                              "  two:\n"
                              "    port: 5\n"
                              "    instances: [{match: {container: two-1}, port: 6}]\n") ==
          lines{"f:5:5: services.two.port: stands beside `instances`; expected it inside of each "
                "instance"});
}

TEST_CASE("what `show` prints loads as the same configuration") {
    std::string const text =
        head +
        "registrar: {networks: [a1, b1], compat: {ip: 10.0.0.9, explicit: true}}\n"
        "consul: {address: 'https://127.0.0.1:8501', ca_file: /ca, cert_file: /c, key_file: /k,\n"
        "  certificates: vault, tls: {recipe: consul, folder: /t, owner: 998}}\n"
        "vault: {addresses: ['https://10.0.0.1:8200'], pki: {names: [grafana.example]}}\n"
        "networks: {net: {subnet: 172.30.0.0/16, nodes: [n1]}}\n"
        "services:\n"
        "  none: {host: true, port: 1, checks: []}\n"
        "  usual: {match: {label: 'a=b: c'}, meta: {v: '1.0', on: 'yes', e: ''}, mode: container}\n"
        "  web:\n"
        "    tags: ['#x', 'true', '1e3', '12:30', \"\\xe4\", 'a: b', '-', '~']\n"
        "    checks:\n"
        "      - http: {path: /h, headers: {A: ['', 'b c']}, start_period: 1m30s}\n"
        "      - tcp: {tls: true, tls_server_name: web.example, failures_before_warning: 1}\n"
        "      - script: ['/bin/sh', -c, 'exit 0 # fine']\n"
        "    instances:\n"
        "      - {match: {container: w1}, port: 80, ports: {admin: 81}, nodes: [n1]}\n"
        "      - {match: {compose: p/w}, port: 80, ports: {admin: 81}, protocol: tcp, nodes: "
        "[n2]}\n";
    auto const first = load_text(text, "f");
    for (auto const& p : first.problems)
        FAIL_CHECK(to_string(p));
    auto const shown = to_yaml(document().show(first.value));
    INFO(shown);
    auto const second = load_text(shown, "shown");
    for (auto const& p : second.problems)
        FAIL_CHECK(to_string(p));
    CHECK(second.value == first.value);
    CHECK(load_text(document().show(first.value).dump(), "json").value == first.value);
}

TEST_CASE("a mesh without Vault is shown without it, and what is shown loads") {
    auto const first = load_text(head, "f");
    auto const shown = document().show(first.value);
    CHECK_FALSE(shown.contains("vault"));
    auto const second = load_text(to_yaml(shown), "shown");
    for (auto const& p : second.problems)
        FAIL_CHECK(to_string(p));
    CHECK(second.value == first.value);
}

TEST_CASE("the JSON Schema knows each key that the loader names, and no other") {
    // A mapping is found by giving the loader a key that is unknown there: its answer lists those
    // that are known.
    auto const known_to_loader = [](std::string const& text) {
        auto const problems = load_text(text, "f").problems;
        for (auto const& p : problems)
            if (p.message.starts_with("unknown key")) return p.expected;
        return std::string("nothing");
    };
    std::map<std::string, std::string> const probes{
        {"", "zzz: 1\n"},
        {"mesh", "mesh: {zzz: 1}\n"},
        {"consul", "consul: {zzz: 1}\n"},
        {"consul.tls", "consul: {tls: {zzz: 1}}\n"},
        {"vault", "vault: {zzz: 1}\n"},
        {"vault.auth", "vault: {auth: {zzz: 1}}\n"},
        {"vault.auth.approle", "vault: {auth: {approle: {zzz: 1}}}\n"},
        {"vault.pki", "vault: {pki: {zzz: 1}}\n"},
        {"vault.kv", "vault: {kv: {zzz: 1}}\n"},
        {"docker", "docker: {zzz: 1}\n"},
        {"registrar", "registrar: {zzz: 1}\n"},
        {"registrar.compat", "registrar: {compat: {zzz: 1}}\n"},
        {"api", "api: {zzz: 1}\n"},
        {"log", "log: {zzz: 1}\n"},
        {"nodes.*", "nodes: {a: {zzz: 1}}\n"},
        {"networks.*", "networks: {a: {zzz: 1}}\n"},
        {"services.*", "services: {a: {zzz: 1}}\n"},
        {"services.*.tls", "services: {a: {tls: {zzz: 1}}}\n"},
        {"services.*.match", "services: {a: {match: {zzz: 1}}}\n"},
        {"services.*.instances[]", "services: {a: {instances: [{zzz: 1}]}}\n"},
        {"services.*.instances[].match", "services: {a: {instances: [{match: {zzz: 1}}]}}\n"},
        {"tls", "tls: {zzz: 1}\n"},
        {"peers", "peers: {zzz: 1}\n"},
        {"metrics", "metrics: {zzz: 1}\n"},
        {"failover.*", "failover: {a: {zzz: 1}}\n"},
        {"failover.*.on.*", "failover: {a: {on: {b: {zzz: 1}}}}\n"},
        {"failover.*.timing", "failover: {a: {timing: {zzz: 1}}}\n"},
        {"failover.*.hooks", "failover: {a: {hooks: {zzz: 1}}}\n"},
        {"failover.*.tls", "failover: {a: {tls: {zzz: 1}}}\n"},
    };
    std::size_t seen = 0;
    visit(json_schema(), "", [&](std::string const& path, json const& properties) {
        CAPTURE(path);
        if (path == "services.*.checks[]") return;
        std::string probe;
        std::string const check_path = "services.*.checks[].";
        if (path.starts_with(check_path)) {
            auto const kind = path.substr(check_path.size());
            probe = "services: {a: {checks: [" + kind + ": {zzz: 1}]}}\n";
        } else {
            REQUIRE(probes.contains(path));
            probe = probes.at(path);
        }
        std::string keys;
        for (auto const& [key, value] : properties.items())
            keys += (keys.empty() ? "one of " : ", ") + key;
        CHECK(known_to_loader(probe) == keys);
        ++seen;
    });
    CHECK(seen == probes.size() + 12);
}

TEST_CASE("the JSON Schema says what every key is for, and closes every mapping") {
    auto const schema = json_schema();
    CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
    visit(schema, "", [&](std::string const& path, json const& properties) {
        if (path == "services.*.checks[]") return;
        for (auto const& [key, value] : properties.items()) {
            CAPTURE(path, key);
            CHECK_FALSE(value.value("description", "").empty());
        }
    });
    CHECK(schema["additionalProperties"] == false);
    CHECK(schema["required"] == json::array({"mesh", "nodes"}));
    CHECK(schema["properties"]["registrar"]["properties"]["resync"]["default"] == "30s");
}

}  // namespace bevmesh::config
