// registrator's command line: each flag, and what it leads to.
#include "mesh/cli/registrator.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::cli;
using nlohmann::json;
using words = std::vector<std::string>;

namespace {

registrator_host const web1{"Web_1.example.org", "10.0.0.7", {}};

json document(words const& line, registrator_host const& host = web1) {
    return json::parse(understand_registrator(line, host).value().document);
}

std::string refusal(words const& line, registrator_host const& host = web1) {
    auto const understood = understand_registrator(line, host);
    REQUIRE(!understood.has_value());
    CHECK(understood.error().code == errc::bad_input);
    return understood.error().doing;
}

}  // namespace

TEST_CASE("registrator without a flag announces every published port at the host's address") {
    auto const run = understand_registrator({"consul://"}, web1).value();
    CHECK(run.node == "web-1");
    CHECK(run.notes.empty());
    auto const d = json::parse(run.document);
    CHECK(d["consul"]["address"] == "127.0.0.1:8500");
    CHECK(d["nodes"]["web-1"]["address"] == "10.0.0.7");
    CHECK(d["registrar"]["compose"] == false);
    CHECK(d["registrar"]["compat"] == json{{"hostname", "Web_1.example.org"}});
}

TEST_CASE("registrator's flags are taken as Go writes them") {
    for (auto const& line :
         {words{"-ip", "10.9.9.9", "-internal", "-tags=a,b", "consul://c:8500"},
          words{"--ip=10.9.9.9", "-internal=true", "--tags", "a,b", "consul://c:8500"},
          words{"-internal=1", "-tags", "a,b", "-ip", "10.9.9.9", "--", "consul://c:8500"}}) {
        auto const d = document(line);
        CHECK(d["nodes"]["web-1"]["address"] == "10.9.9.9");
        CHECK(d["consul"]["address"] == "c:8500");
        auto const& compat = d["registrar"]["compat"];
        CHECK(compat["ip"] == "10.9.9.9");
        CHECK(compat["internal"] == true);
        CHECK(compat["tags"] == "a,b");
    }
    auto const d =
        document({"-explicit", "-useIpFromLabel", "ip", "-resync", "60", "consul://c:1"});
    CHECK(d["registrar"]["compat"]["explicit"] == true);
    CHECK(d["registrar"]["compat"]["use_ip_from_label"] == "ip");
    CHECK(d["registrar"]["resync"] == "60s");
    CHECK_FALSE(document({"-resync=0", "consul://c:1"})["registrar"].contains("resync"));
    CHECK_FALSE(
        document({"-internal=false", "consul://c:1"})["registrar"]["compat"].contains("internal"));
}

TEST_CASE("registrator's registry URIs") {
    CHECK(document({"consul://:8501"})["consul"]["address"] == "127.0.0.1:8501");
    CHECK(document({"consul://c:8500/prefix"})["consul"]["address"] == "c:8500");
    CHECK(document({"consul-tls://c:8501"})["consul"]["address"] == "https://c:8501");
    CHECK(document({"consul-unix:///run/consul.sock"})["consul"]["address"] ==
          "unix:///run/consul.sock");
    CHECK(refusal({"etcd://c:2379/services"}).find("consul://") != std::string::npos);
    CHECK(refusal({"c:8500"}).find("consul://") != std::string::npos);
}

TEST_CASE("registrator's surroundings are part of it, but for the token") {
    auto host = web1;
    host.environment = {{"DOCKER_HOST", "unix:///tmp/docker.sock"},
                        {"CONSUL_CACERT", "/tls/ca.pem"},
                        {"CONSUL_HTTP_TOKEN", "s3cret"}};
    auto const text = understand_registrator({"consul-tls://c:8501"}, host).value().document;
    auto const d = json::parse(text);
    CHECK(d["docker"]["address"] == "unix:///tmp/docker.sock");
    CHECK(d["consul"]["ca_file"] == "/tls/ca.pem");
    CHECK(text.find("s3cret") == std::string::npos);
}

TEST_CASE("registrator's flags that cannot be kept are told of") {
    CHECK(understand_registrator({"-cleanup", "-deregister", "always", "consul://"}, web1)
              .value()
              .notes.empty());
    CHECK(understand_registrator({"-ttl", "30", "-ttl-refresh", "15", "consul://"}, web1)
              .value()
              .notes.size() == 1);
    CHECK(refusal({"-deregister", "on-success", "consul://"}).find("always") != std::string::npos);
    CHECK(refusal({"-ttl", "30", "consul://"}).find("-ttl-refresh") != std::string::npos);
}

TEST_CASE("a wrong command line of registrator says which flag and what was expected") {
    CHECK(refusal({"-colour", "consul://"}) == "registrator has no flag -colour");
    CHECK(refusal({"-resync", "soon", "consul://"}) == "-resync=soon: expected a number");
    CHECK(refusal({"-internal=maybe", "consul://"}) == "-internal=maybe: expected true or false");
    CHECK(refusal({"-ip"}) == "-ip: its value is missing");
    CHECK(refusal({"-cleanup"}).find("URI") != std::string::npos);
    CHECK(refusal({"consul://", "more"}).find("URI") != std::string::npos);
    auto nowhere = web1;
    nowhere.address.clear();
    CHECK(refusal({"consul://"}, nowhere).find("-ip") != std::string::npos);
    CHECK(understand_registrator({"-ip", "10.0.0.1", "consul://"}, nowhere).has_value());
}
