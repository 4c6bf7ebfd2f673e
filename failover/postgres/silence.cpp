#include "failover/postgres/silence.hpp"

namespace bevmesh::failover::postgres {

void silence::judge(database_facts& facts, instant now, nanoseconds patience) {
    std::map<std::string, hearing> still;
    for (auto& replica : facts.replicas) {
        auto const before = heard_.find(replica.node);
        bool const stands = before != heard_.end() && replica.flushed < facts.at &&
                            replica.flushed == before->second.flushed;
        still[replica.node] = stands ? before->second : hearing{replica.flushed, now};
        if (now - still[replica.node].at >= patience) replica.streaming = false;
    }
    heard_ = std::move(still);
}

}  // namespace bevmesh::failover::postgres
