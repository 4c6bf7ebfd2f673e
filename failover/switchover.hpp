// Planned moves: an operator's word, a schedule, or the way back to the preferred node.
//
// Pure. Withdraw the endpoint, drain, fence, release to the target with the position. Whatever goes
// wrong before the release ends with the old primary, after it with the target.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::switchover {

void absorb(turn const& t, ordered const& e);
bool absorb(turn const& t, carried_out const& e);
void look(turn const& t);

/// Empty: a switchover to `target` may start now; else the reason.
[[nodiscard]] std::string refusal(state const& s, policy const& p, instant now,
                                  std::string const& target);

}  // namespace bevmesh::failover::switchover
