#include "tests/registrar/fixture.hpp"

#include <algorithm>

#include "registrar/ip_text.hpp"
#include "tests/catch.hpp"

namespace bevmesh::test {

node_fixture::node_fixture() {
    config.name = "bev";
    config.nodes["thanos"].address = "100.122.12.54";
    config.nodes["oracle1"].address = "100.96.197.84";
}

registrar::context node_fixture::where() const {
    return {&config, "thanos", "thanos-host", [this](std::string_view id) {
                auto const at = std::ranges::find_if(
                    others, [&](auto const& c) { return c.id == id || c.name == id; });
                return at == others.end() ? nullptr : &*at;
            }};
}

registrar::desired node_fixture::services(docker::container const& c) const {
    return registrar::services_of(c, where());
}

registrar::registration node_fixture::only(docker::container const& c) const {
    auto const d = services(c);
    REQUIRE(d.services.size() == 1);
    return d.services[0];
}

std::vector<std::string> node_fixture::lines(docker::container const& c) const {
    std::vector<std::string> lines;
    for (auto const& r : services(c).services)
        lines.push_back(r.service.name + " " + r.service.id + " " +
                        registrar::host_port(r.service.address, r.service.port));
    return lines;
}

docker::container container(std::string name) {
    docker::container c;
    c.id = std::string(64, 'a');
    c.name = std::move(name);
    c.image = "example/app:1";
    c.hostname = "0123456789ab";
    c.network_mode = "bridge";
    c.state = docker::run_state::running;
    c.started_at = "2026-11-24T00:00:00Z";
    c.networks["bridge"] = {"net-bridge", "172.17.0.2", ""};
    return c;
}

void publish(docker::container& c, std::uint16_t inner, std::uint16_t outer,
             std::string const& host_ip, std::string const& protocol) {
    docker::port_key const key{inner, protocol};
    c.ports[key].push_back({host_ip, outer});
    c.wanted_ports[key].push_back({host_ip, outer});
    if (std::ranges::find(c.exposed, key) == c.exposed.end()) c.exposed.push_back(key);
    std::ranges::sort(c.exposed);
}

docker::container web(std::initializer_list<std::string> env,
                      std::initializer_list<std::pair<std::string const, std::string>> labels) {
    auto c = container("web-1");
    publish(c, 80, 8080);
    c.env = env;
    c.labels = labels;
    return c;
}

service_config configured(std::string const& name, std::string const& of_container,
                          std::uint16_t port) {
    service_config service;
    service.name = name;
    auto& instance = service.instances.emplace_back();
    instance.match.container = of_container;
    instance.port = port;
    instance.nodes = {"thanos"};
    return service;
}

bool has_note(std::vector<registrar::note> const& notes, std::string const& code) {
    return std::ranges::find(notes, code, &registrar::note::code) != notes.end();
}

bool has_note(registrar::desired const& d, std::string const& code) {
    return has_note(d.notes, code);
}

}  // namespace bevmesh::test
