// The way out of the lease: fence, forget, release; and the guard's deadline on the way.
//
// Pure. Nothing is released before the database is fenced or was seen dead, and before the guard
// has forgotten the lease: a daemon that comes back would take it over from there.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::fencing {

/// Stop writes, then do `then`. A fence that is under way is only made stronger.
void begin(turn const& t, afterwards then, std::string why, bool dead = false, bool kill = false);
/// The end of a planned switchover: everything is drained at `at`.
void begin_planned(turn const& t, std::string const& target, position at, bool dead);

void absorb(turn const& t, fenced const& e);
void absorb(turn const& t, guard_seen const& e);
void absorb(turn const& t, guard_answered const& e);
void absorb_death(turn const& t, std::string const& process);

/// Validity that runs out, a foreign holder.
void look_deadline(turn const& t);
void look(turn const& t);
/// The guard's deadline follows the validity.
void look_guard(turn const& t);

}  // namespace bevmesh::failover::fencing
