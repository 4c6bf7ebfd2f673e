// The engine's answers as recorded from API 1.41, the fields that 1.52 left, and its framings.
#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "mesh/docker/codec.hpp"
#include "mesh/docker/framing.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::docker;
using bevmesh::testing::recorded;

namespace {

container inspect(std::string const& name, std::string const& api = "docker-1.41") {
    auto const decoded = decode_container(recorded(api + "/inspect-" + name + ".json"));
    if (decoded.has_error()) FAIL(describe(decoded.error()));
    return *decoded;
}

port_key const tcp6379{6379, "tcp"};
port_key const udp8125{8125, "udp"};

}  // namespace

TEST_CASE("a container with everything is read whole") {
    auto const c = inspect("redis");
    CHECK(c.id.size() == 64);
    CHECK(c.name == "redis");
    CHECK(c.image == "bev/tool:1.0");
    CHECK(c.hostname == "redis-host");
    CHECK(c.network_mode == "bev_oracle");
    CHECK(c.state == run_state::running);
    CHECK(c.health == health::healthy);
    CHECK(c.started_at == "2026-11-24T00:50:22.921805996Z");
    CHECK(c.env == std::vector<std::string>{"SERVICE_6379_CHECK_TCP=true", "SERVICE_NAME=redis",
                                            "FROM_IMAGE=yes"});
    CHECK(c.labels.at("com.docker.compose.service") == "redis");
    CHECK(c.exposed == std::vector<port_key>{tcp6379, udp8125});
    REQUIRE(c.ports.at(tcp6379).size() == 3);
    CHECK(c.ports.at(tcp6379)[0].host_ip == "127.0.0.1");
    CHECK(c.ports.at(tcp6379)[0].host_port == 16379);
    CHECK(c.ports.at(tcp6379)[1].host_ip == "0.0.0.0");
    CHECK(c.ports.at(tcp6379)[2].host_ip == "::");
    CHECK(c.ports.at(udp8125).size() == 2);
    REQUIRE(c.wanted_ports.at(tcp6379).size() == 2);
    CHECK(c.wanted_ports.at(tcp6379)[0].host_ip.empty());
    CHECK(c.wanted_ports.at(tcp6379)[0].host_port == 6379);
    REQUIRE(c.networks.size() == 2);
    CHECK(c.networks.at("bev_oracle").ip == "172.31.0.2");
    CHECK(c.networks.at("bev_network").ip == "172.30.0.2");
    CHECK(c.networks.at("bev_network").network_id.size() == 64);
}

TEST_CASE("nothing is read from the fields that API 1.52 removed") {
    for (auto const* const name : {"redis", "six", "simple"}) {
        CHECK(inspect(name, "docker-1.52-derived") == inspect(name));
    }
}

TEST_CASE("published at random, exposed only, IPv6, host, shared and no network") {
    auto const simple = inspect("simple");
    CHECK(simple.network_mode == "bridge");
    CHECK(simple.ports.at(tcp6379)[0].host_port == 32769);
    CHECK(simple.wanted_ports.empty());
    auto const sick = inspect("sick");
    CHECK(sick.ports.at(tcp6379).empty());
    auto const six = inspect("six");
    CHECK(six.networks.at("v6net").ip6 == "fd00:beef::2");
    CHECK(six.networks.at("v6net").ip == "172.18.0.2");
    auto const hosted = inspect("hosted");
    CHECK(hosted.network_mode == "host");
    CHECK(hosted.ports.empty());
    CHECK(hosted.exposed.size() == 2);
    CHECK(inspect("sidecar").network_mode == "container:" + inspect("redis").id);
    CHECK(inspect("nonet").network_mode == "none");
}

TEST_CASE("every state of a container and of its health") {
    CHECK(inspect("paused").state == run_state::paused);
    CHECK(inspect("exited").state == run_state::exited);
    CHECK(inspect("exited").exit_code == 3);
    CHECK(inspect("looping").state == run_state::restarting);
    CHECK(inspect("looping").exit_code == 1);
    CHECK(inspect("nonet").exit_code == 137);
    auto const created = inspect("created");
    CHECK(created.state == run_state::created);
    CHECK(created.ports.empty());
    CHECK(created.wanted_ports.at({9000, "tcp"})[0].host_port == 9000);
    CHECK(inspect("sick").health == health::unhealthy);
    CHECK(inspect("starting").health == health::starting);
    CHECK(inspect("simple").health == health::none);
}

TEST_CASE("a list gives IDs, and fingerprints without what changes by itself") {
    auto const text = recorded("docker-1.41/list.json");
    auto const list = decode_list(text).value();
    REQUIRE(list.size() == 9);
    CHECK(list[0].id == inspect("six").id);
    auto const with = [&](std::string const& from, std::string const& to) {
        auto changed = text;
        auto const where = changed.find(from);
        REQUIRE(where != std::string::npos);
        changed.replace(where, from.size(), to);
        auto const other = decode_list(changed).value();
        std::size_t differ = 0;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (other[i].fingerprint != list[i].fingerprint) ++differ;
        }
        return differ;
    };
    CHECK(with("Up 28 seconds", "Up 2 hours") == 0);
    CHECK(with("(unhealthy)", "(healthy)") == 1);
    CHECK(with("/six", "/seven") == 1);
    CHECK(with("172.18.0.2", "172.18.0.3") == 1);
    CHECK(with("(Paused)", "") == 1);
}

TEST_CASE("the order of a container's ports in the list means nothing") {
    auto const one = decode_list(R"([{"Id":"a","Ports":[{"PrivatePort":1},{"PrivatePort":2}]}])");
    auto const two = decode_list(R"([{"Id":"a","Ports":[{"PrivatePort":2},{"PrivatePort":1}]}])");
    CHECK(one.value()[0].fingerprint == two.value()[0].fingerprint);
}

TEST_CASE("events are read from the fields that every version has") {
    std::istringstream older(recorded("docker-1.41/events.ndjson"));
    std::istringstream newer(recorded("docker-1.52-derived/events.ndjson"));
    std::string line;
    std::string without;
    int connects = 0;
    int count = 0;
    for (; std::getline(older, line) && std::getline(newer, without); ++count) {
        auto const e = decode_event(line).value();
        CHECK(decode_event(without).value() == e);
        CHECK(e.time_nano > 1'700'000'000'000'000'000);
        CHECK(e.actor_id.size() == 64);
        if (e.type == "network" && e.action == "connect") {
            ++connects;
            CHECK(e.attributes.at("container").size() == 64);
        }
    }
    CHECK(count == 30);
    CHECK(connects == 5);
}

TEST_CASE("info and networks") {
    auto const info = decode_info(recorded("docker-1.41/info.json")).value();
    CHECK(info.name == "oracle1");
    CHECK(info.server_version == "20.10.24+dfsg1");
    CHECK(info.id.size() == 59);
    auto const all = decode_networks(recorded("docker-1.41/networks.json")).value();
    REQUIRE(all.size() == 6);
    auto const six =
        std::find_if(all.begin(), all.end(), [](auto& n) { return n.name == "v6net"; });
    CHECK(six->internal);
    CHECK(six->subnets == std::vector<std::string>{"172.18.0.0/16", "fd00:beef::/64"});
    auto const bev =
        std::find_if(all.begin(), all.end(), [](auto& n) { return n.name == "bev_oracle"; });
    CHECK(bev->driver == "bridge");
    CHECK(bev->subnets == std::vector<std::string>{"172.31.0.0/16"});
}

TEST_CASE("an exec's end, and the engine's error message") {
    CHECK(decode_exec_exit(recorded("docker-1.41/exec-inspect.json")).value() == 4);
    CHECK(decode_exec_exit(R"({"Running":true,"ExitCode":null})").value() == std::nullopt);
    CHECK(error_message(recorded("docker-1.41/error-404.json")) == "No such container: nosuch");
    CHECK(error_message("plain text") == "plain text");
}

TEST_CASE("documents that the engine would not send are bad answers that name the field") {
    CHECK(decode_container("").error().code == errc::bad_answer);
    CHECK(decode_container("{}").error().doing == "the container: Id: expected an ID");
    CHECK(decode_container(R"({"Id":"a","State":{"Status":"odd"}})").error().doing.find("odd") !=
          std::string::npos);
    CHECK(decode_container(R"({"Id":"a","State":{"Status":"running"},)"
                           R"("NetworkSettings":{"Ports":{"x/tcp":null}}})")
              .has_error());
    CHECK(decode_list(R"([{"Id":7}])").has_error());
    auto const garbage = decode_event("not an event");
    CHECK(garbage.error().code == errc::bad_answer);
    CHECK(garbage.error().doing == "the event: not JSON: not an event");
    CHECK(decode_event(R"({"Type":"container"})").has_error());
}

TEST_CASE("port ranges and bindings that are not there yet do not spoil the rest") {
    auto const c =
        decode_container(R"({"Id":"a","State":{"Status":"running"},"HostConfig":{"PortBindings":)"
                         R"({"80/tcp":[{"HostIp":"","HostPort":"8000-8010"}],"90-99/tcp":null,)"
                         R"("70":[{"HostPort":"70"}]}},"NetworkSettings":{"Ports":)"
                         R"({"80/tcp":[{"HostIp":"","HostPort":""}]}}})")
            .value();
    CHECK(c.wanted_ports.size() == 2);
    CHECK(c.wanted_ports.at({80, "tcp"})[0].host_port == 0);
    CHECK(c.wanted_ports.at({70, "tcp"})[0].host_port == 70);
    CHECK(c.ports.at({80, "tcp"})[0].host_port == 0);
}

TEST_CASE("the version is the smaller of the engine's and ours, and at least 1.41") {
    CHECK(negotiate("1.41").value() == "1.41");
    CHECK(negotiate("1.47").value() == "1.47");
    CHECK(negotiate("1.52").value() == "1.52");
    CHECK(negotiate("1.60").value() == "1.52");
    CHECK(negotiate("2.0").value() == "1.52");
    CHECK(negotiate("1.40").error().doing.find("needs 1.41") != std::string::npos);
    CHECK(negotiate("1.9").has_error());
    for (auto const* const text : {"", "1", "1.", "x.y", "1.41.2"})
        CHECK(negotiate(text).has_error());
}

TEST_CASE("events are asked for from a nanosecond on") {
    CHECK(events_query(0).find("since") == std::string::npos);
    auto const query = events_query(1'795'481'422'006'345'173);
    CHECK(query.find("&since=1795481422.006345173") != std::string::npos);
    CHECK(query.find("exec") == std::string::npos);
}

TEST_CASE("documents come apart whatever the framing and the pieces") {
    for (std::string const& text : {std::string("{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}\n"),
                                    std::string("\x1e{\"a\":1}\n\x1e{\"b\":2}\n\x1e{\"c\":3}\n"),
                                    std::string("\x1e{\"a\":1}\x1e{\"b\":2}\x1e{\"c\":3}\n")}) {
        for (std::size_t piece = 1; piece <= text.size(); ++piece) {
            document_splitter splitter(100);
            std::string got;
            for (std::size_t i = 0; i < text.size(); i += piece) {
                REQUIRE(splitter.feed(std::string_view(text).substr(i, piece)).has_value());
                while (auto const document = splitter.next())
                    got += *document + "|";
            }
            CHECK(got == "{\"a\":1}|{\"b\":2}|{\"c\":3}|");
        }
    }
}

TEST_CASE("a document without end is refused at the limit") {
    document_splitter splitter(100);
    std::string const piece(60, 'x');
    REQUIRE(splitter.feed(piece).has_value());
    CHECK_FALSE(splitter.next());
    auto const fed = splitter.feed(piece);
    REQUIRE(fed.has_error());
    CHECK(fed.error().code == errc::too_large);
}

TEST_CASE("what of the host is bound into a container is known, and a volume is none of it") {
    auto document = nlohmann::json::parse(recorded("docker-1.41/inspect-redis.json"));
    document["Mounts"] = {
        {{"Type", "bind"}, {"Source", "/etc/tls/cert.pem"}, {"Destination", "/cert.pem"}},
        {{"Type", "volume"}, {"Source", "/var/lib/docker/volumes/x"}, {"Destination", "/data"}}};
    auto const c = decode_container(document.dump());
    REQUIRE(c.has_value());
    CHECK(c->bound == std::vector<std::string>{"/etc/tls/cert.pem"});
}

TEST_CASE("an exec's output is taken apart, and no other form for it") {
    auto const frame = [](char which, std::string const& text) {
        std::string out(8, '\0');
        out[0] = which;
        out[6] = static_cast<char>(text.size() >> 8U);
        out[7] = static_cast<char>(text.size());
        return out + text;
    };
    auto const both =
        demultiplex(frame(1, "to out\n") + frame(2, "to err\n") + frame(1, std::string(500, 'x')))
            .value();
    CHECK(both.out == "to out\n" + std::string(500, 'x'));
    CHECK(both.err == "to err\n");
    CHECK(demultiplex("").value().out.empty());
    CHECK(demultiplex(frame(1, "abc").substr(0, 10)).error().code == errc::truncated);
    CHECK(demultiplex(frame(1, "abc").substr(0, 5)).error().code == errc::truncated);
    CHECK(demultiplex("plain text").error().code == errc::bad_answer);
}
