// Who is where in the mesh: each address and port with the service that answers there. Pure.
//
// From the configuration (nodes' addresses with the ports of the services on them), from Consul's
// catalog as the daemon tells it, or from both. An endpoint of the catalog is one that is there
// now.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/config.hpp"

namespace bevmesh::registrar::scan {

struct endpoint {
    std::string service;
    std::string node;
    std::string address;
    std::uint16_t port = 0;
    bool configured = false;
    bool live = false;  // in the catalog
};

class inventory {
public:
    /// Knows nothing: every address is unknown.
    inventory() = default;
    explicit inventory(mesh_config const& mesh);

    /// Adds the answer of the daemon's GET /v1/services. Members that are missing or of another
    /// type are skipped.
    void add_catalog(nlohmann::json const& answer);

    [[nodiscard]] std::vector<endpoint const*> at(std::string_view address) const;
    [[nodiscard]] std::vector<endpoint const*> of(std::string_view service) const;
    /// Of the node that has this address, or answers to this name (in any case); else empty.
    [[nodiscard]] std::string node_of(std::string_view address_or_name) const;
    /// For a node's name its address, for an address itself.
    [[nodiscard]] std::string address_of(std::string_view address_or_name) const;
    [[nodiscard]] std::vector<std::string> node_names() const;
    [[nodiscard]] bool empty() const noexcept { return endpoints_.empty() && nodes_.empty(); }
    [[nodiscard]] bool has_catalog() const noexcept { return has_catalog_; }

    /// NAME.service.DOMAIN; empty where the name cannot stand in DNS.
    [[nodiscard]] std::string name_of(std::string_view service) const;

private:
    void add(endpoint one);

    std::string domain_ = "consul";
    std::map<std::string, std::string, std::less<>> nodes_;      // name in lower case → address
    std::map<std::string, std::string, std::less<>> addresses_;  // address → node
    std::vector<endpoint> endpoints_;
    bool has_catalog_ = false;
};

[[nodiscard]] std::string lower(std::string_view text);

}  // namespace bevmesh::registrar::scan
