// From one container, or from the configuration alone, to the services that Consul should hold.
//
// Pure: the same container and context give the same registrations, byte for byte, whatever the
// order in which Docker listed networks, ports or labels.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "registrar/registration.hpp"

namespace bevmesh::registrar {

/// What a container's services depend on beside the container.
struct context {
    mesh_config const* config = nullptr;  // never null; outlives the call
    std::string node;                     // key in config->nodes
    std::string engine_host;              // the engine's host name, first part of registrator's IDs
    /// Finds another container, for network_mode container:ID. May be empty.
    std::function<docker::container const*(std::string_view id_or_name)> find_container;
};

struct desired {
    std::vector<registration> services;  // sorted by service ID
    std::vector<note> notes;
    /// A published port has no binding yet: look at the container again soon.
    bool incomplete = false;

    friend bool operator==(desired const&, desired const&) = default;
};

/// Services of a container that is running, paused or restarting; empty for any other state.
[[nodiscard]] desired services_of(docker::container const& container, context const& where);

/// Services of this node that are no containers (`host: true`).
[[nodiscard]] desired host_services(context const& where);

}  // namespace bevmesh::registrar
