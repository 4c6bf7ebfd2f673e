// What validate() has found so far.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/problem.hpp"
#include "mesh/base/config.hpp"

namespace bevmesh::config {

class findings {
public:
    explicit findings(locations const& where) : where_(where) {}

    /// Unless the key has a problem already, of which this one might be the consequence.
    void report(std::string const& path, std::string message, std::string expected) {
        if (where_.damaged(path)) return;
        auto const at = where_.of(path);
        problems_.push_back(
            {"", at.line, at.column, path, std::move(message), std::move(expected)});
    }
    [[nodiscard]] locations const& where() const { return where_; }
    [[nodiscard]] std::vector<problem> take() && { return std::move(problems_); }

private:
    locations const& where_;
    std::vector<problem> problems_;
};

/// A node that is named somewhere must be one of the mesh.
void check_node_name(std::string const& node, std::string const& path, mesh_config const& config,
                     findings& found);
void check_services(mesh_config const& config, findings& found);
/// `base`: the service's path.
void check_service_tls(service_config const& service, std::string const& base,
                       mesh_config const& config, findings& found);
void check_vault(mesh_config const& config, findings& found);
void check_failover(mesh_config const& config, findings& found);
void check_check(check_config const& check, service_config const& service, std::string const& path,
                 mesh_config const& config, findings& found);

}  // namespace bevmesh::config
