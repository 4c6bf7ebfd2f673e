// The labels `bevmesh.*` of a container, read into values.
//
//   bevmesh.enable        true: announce it, false: never (stronger than everything else)
//   bevmesh.name          the service's name            bevmesh.port     its main port, as the
//   bevmesh.PORT.name     a service of its own                           container knows it: 80,
//   53/udp bevmesh.tags          a,b\,c                        bevmesh.meta.K   a pair of Consul's
//   Meta bevmesh.network       NAME or PROJECT_NAME          bevmesh.address  instead of the
//   address found bevmesh.address_mode  host, container or auto       bevmesh.health   mirror or
//   ignore HEALTHCHECK bevmesh.check.N.X     a check of the main port, bevmesh.PORT.check.N.X of
//   another one: X is a
//                         kind (see check_labels.hpp) or one of its settings; N groups them
//
// enable=true, name, port and PORT.name make the labels the source of the services; the others
// refine what another source names. A label that is not understood is a note and nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registrar/registration.hpp"

namespace bevmesh::registrar {

/// A port as a label names it: "53" may be either protocol, "53/udp" is one.
struct port_label {
    std::uint16_t port = 0;  // 0: the main port
    std::string protocol;    // empty: any

    [[nodiscard]] bool means(docker::port_key const& key) const {
        return port == key.port && (protocol.empty() || protocol == key.protocol);
    }
    friend auto operator<=>(port_label const&, port_label const&) = default;
};

struct own_labels {
    std::optional<bool> enable;
    std::string name;
    std::optional<port_label> port;
    std::map<port_label, std::string> port_names;
    std::vector<std::string> tags;
    std::map<std::string, std::string> meta;
    std::string network;
    std::optional<address_mode> mode;
    std::string address;
    std::optional<bool> mirror_health;
    std::map<port_label, std::vector<check_config>> checks;  // {} is the main port

    /// The labels themselves make services of the container.
    [[nodiscard]] bool name_services() const {
        return enable.value_or(false) || !name.empty() || port || !port_names.empty();
    }
    friend bool operator==(own_labels const&, own_labels const&) = default;
};

/// `container` is for the notes.
[[nodiscard]] own_labels read_labels(std::map<std::string, std::string> const& labels,
                                     std::string_view container, std::vector<note>& notes);

/// "80", "80/tcp", "53/udp"; 1 to 65535.
[[nodiscard]] std::optional<port_label> parse_port_label(std::string_view text);

/// true/false, yes/no, on/off, 1/0, in either case.
[[nodiscard]] std::optional<bool> parse_switch(std::string_view text);

}  // namespace bevmesh::registrar
