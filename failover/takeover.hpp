// From permission to service: consult, take, end the streams, arm, promote, prove, publish.
//
// Pure. Each stage goes on only while the lease is valid; whatever goes wrong after the take ends
// in a fence and a release, so that another member can try.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::takeover {

/// True when the answer was to one of this part's actions.
bool absorb(turn const& t, carried_out const& e);
void look(turn const& t);

}  // namespace bevmesh::failover::takeover
