// Containers and a mesh in a few words, for the tests of what a container wants.
//
// The node is thanos (100.122.12.54), its engine's host name thanos-host; containers are on a
// bridge of their own unless a test says otherwise.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "registrar/desired.hpp"

namespace bevmesh::test {

class node_fixture {
public:
    node_fixture();

    [[nodiscard]] registrar::context where() const;
    [[nodiscard]] registrar::desired services(docker::container const& c) const;
    /// The only service; fails the test when there are none or several.
    [[nodiscard]] registrar::registration only(docker::container const& c) const;
    /// "NAME ID ADDRESS:PORT" of each service, by ID.
    [[nodiscard]] std::vector<std::string> lines(docker::container const& c) const;

    mesh_config config;
    std::vector<docker::container> others;  // for container:X
};

/// Running, image "example/app:1", on the network "bridge" with 172.17.0.2.
[[nodiscard]] docker::container container(std::string name);

/// Publishes `inner` (of `protocol`) as `outer` on `host_ip`.
void publish(docker::container& c, std::uint16_t inner, std::uint16_t outer,
             std::string const& host_ip = "0.0.0.0", std::string const& protocol = "tcp");

/// "a container that publishes 80 as 8080", with environment and labels.
[[nodiscard]] docker::container web(
    std::initializer_list<std::string> env = {},
    std::initializer_list<std::pair<std::string const, std::string>> labels = {});

/// A service of the configuration for the container of that name, on thanos.
[[nodiscard]] service_config configured(std::string const& name, std::string const& of_container,
                                        std::uint16_t port);

[[nodiscard]] bool has_note(registrar::desired const& d, std::string const& code);
[[nodiscard]] bool has_note(std::vector<registrar::note> const& notes, std::string const& code);

}  // namespace bevmesh::test
