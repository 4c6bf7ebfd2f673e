// What the other members say of themselves: asked for regularly, and at once when it matters.
//
// Pure.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::peers {

void absorb(turn const& t, peer_answered const& e);
void absorb(turn const& t, nudged const& e);
/// Every other member looks at once, not only with its next probe.
void nudge_all(turn const& t);
void look(turn const& t);

}  // namespace bevmesh::failover::peers
