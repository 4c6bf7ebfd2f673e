// The way of a database that is not primary: started boot-fenced, following whoever holds the
// lease.
//
// Pure. What it has that the new primary lacks goes to quarantine before it is given up. A database
// that says primary without a lease is fenced.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::rejoin {

bool absorb(turn const& t, carried_out const& e);
void look(turn const& t);

}  // namespace bevmesh::failover::rejoin
