// The local database: probes, and what counts as its failure.
//
// Pure. A death that was seen moves at once; a refused connection or a hang is made a death first
// (kill and reap); a database that only fails to write moves when another one is fit; loading,
// busy, recovering and bad credentials are told and nothing more.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::health {

void absorb(turn const& t, probed const& e);
void absorb(turn const& t, database_died const& e);
void look(turn const& t);

}  // namespace bevmesh::failover::health
