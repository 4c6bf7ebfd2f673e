// Who says that a container is a service, and under which name. The first of these that applies
// names all services of the container:
//
//   1. `services:` of the configuration, by container name, Compose service, label or image
//   2. the labels bevmesh.enable=true, bevmesh.name, bevmesh.port, bevmesh.PORT.name
//   3. SERVICE_* in labels and environment (registrator), when compat is enabled
//   4. Compose: its service's name, when registrar.compose is on and a port is published
//   5. Swarm: its service's name, for ports published in host mode
//   6. registrator's default, a service by the image's name for each published port, when compat is
//      enabled and not explicit-only
//
// bevmesh.enable=false excludes a container from all of them. One that says anything by SERVICE_*
// has spoken to registrator: what is ignored there is not announced by 4 to 6 either. A one-off
// container of Compose (`docker compose run`) is announced by 1 to 3 only. The other bevmesh.*
// labels (network, address, checks, health) refine what 2 to 6 name; a configured service takes
// only bevmesh.tags and bevmesh.meta.* from labels, and its own meta wins.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registrar/address.hpp"
#include "registrar/labels.hpp"

namespace bevmesh::registrar {

/// A container with what all sources need of it.
struct subject {
    docker::container const& container;
    context const& where;
    own_labels const& labels;
    network_place place;
};

/// A service that a source wants, before it is known where it can be reached.
struct draft {
    std::string name;
    std::string id;  // empty: by registrator's scheme
    open_port port;
    bool is_main = false;  // bevmesh.check.N and bevmesh.name are about it
    address_wish at;
    std::vector<std::string> tags;
    std::map<std::string, std::string> meta;
    bool enable_tag_override = false;

    std::optional<std::vector<check_config>> checks;  // absent: the default
    bool tcp_by_default = true;
    bool mirror_health = true;
    std::optional<check_config> registrator_check;     // the one of SERVICE_CHECK_*
    std::map<std::string, std::uint16_t> check_ports;  // for check_config::port
};

struct named_services {
    origin source = origin::configured;
    std::vector<draft> drafts;
};

[[nodiscard]] named_services find_services(subject const& s, desired& out);

/// registrator marks UDP by a tag of that name; the service's name is the same.
[[nodiscard]] std::vector<std::string> protocol_tags(docker::port_key const& port);

/// The labels' tags and meta, added to those the draft has; the draft's meta wins.
void add_label_facts(draft& d, own_labels const& labels);

/// Address, network, checks, health, tags and meta as the labels say, for services not configured.
void refine(draft& d, subject const& s);

}  // namespace bevmesh::registrar
