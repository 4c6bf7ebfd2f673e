// What the kernel says of this process, for its metrics: /proc/self.
#pragma once

#include <cstdint>

namespace bevmesh::daemon {

struct process_facts {
    double cpu_seconds = 0;  // user and system
    double resident_bytes = 0;
    double virtual_bytes = 0;
    double open_fds = 0;
    double max_fds = 0;
    double start_seconds = 0;  // Unix time
};

/// What cannot be read is 0.
[[nodiscard]] process_facts read_process_facts();

}  // namespace bevmesh::daemon
