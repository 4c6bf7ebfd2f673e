// Promises: Consul is gone, and the service goes on.
//
// Pure. A holder that could not renew asks every other member to take nothing for O. Only a round
// that all of them granted prolongs, from its own sending, and only a validity that has not run
// out.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::promises {

void absorb(turn const& t, promise_asked const& e);
void absorb(turn const& t, promise_answered const& e);
void look(turn const& t);

/// The last instant up to which a promise to anybody binds us.
[[nodiscard]] instant bound_until(state const& s);

}  // namespace bevmesh::failover::promises
