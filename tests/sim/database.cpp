#include "tests/sim/database.hpp"

#include <algorithm>

namespace bevmesh::sim {

void database::die(bool keeps_all) {
    running = frozen = primary = paused = streaming = false;
    process.clear();
    upstream.clear();
    gate = {};
    pending.clear();
    acknowledged.clear();
    heard.clear();
    if (keeps_all) return;
    log.resize(std::min(log.size(), on_disk));
}

bool is_part(std::vector<write_id> const& replica, std::vector<write_id> const& of) {
    return replica.size() <= of.size() && std::equal(replica.begin(), replica.end(), of.begin());
}

}  // namespace bevmesh::sim
