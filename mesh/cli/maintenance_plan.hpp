// What `bevmesh services maint` is about to do, said before it is done. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace bevmesh::cli {

struct maintenance_wish {
    std::string service;  // name, or the ID of one instance
    bool on = true;
    std::string reason;
};

struct maintenance_plan {
    std::vector<std::string> lines;      // for the person who is asked
    std::vector<std::string> instances;  // IDs on this node that it is about
    /// Nobody else answers to the name once this is done.
    bool last = false;
};

/// `answer` is the daemon's GET /v1/services (whole), `this_node` the node of GET /v1/status. An ID
/// is a service's ID on this node: other nodes' instances may have the same one.
[[nodiscard]] maintenance_plan plan_maintenance(maintenance_wish const& wish,
                                                nlohmann::json const& answer,
                                                std::string const& this_node);

}  // namespace bevmesh::cli
