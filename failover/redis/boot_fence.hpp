// Whether a Redis would come up as a replica: what its configuration file and arguments say. Pure.
//
// A primary that restarts by itself must take no write and feed no replica: an empty one would wipe
// the data of all that follow it. So what is on disk names an address where nobody listens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::failover::redis {

struct boot_fence {
    bool holds = false;
    std::string why;  // not: what is missing, for the sentence that names the member
};

/// `file`: redis.conf, empty when there is none. `argv`: of the process, from its name on; options
/// like --replicaof come after the file. An `include` behind the last replicaof could say otherwise
/// and counts against it.
[[nodiscard]] boot_fence read_boot_fence(std::string_view file,
                                         std::vector<std::string> const& argv);

}  // namespace bevmesh::failover::redis
