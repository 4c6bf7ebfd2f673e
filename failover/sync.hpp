// Who may be promoted without loss: the record's in_sync against the server's gate.
//
// Pure. At every instant the server waits for every replica that the record names. So a raise goes
// to the server first, and to the record only when the replica has flushed past the position read
// after the raise took effect; a relaxation goes to the record first, and to the server only on the
// answer to the newest attempt.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::sync {

/// record.in_sync as the next renewal has to say it.
[[nodiscard]] std::vector<in_sync_entry> wanted(turn const& t);

/// The gate of a server that is about to be promoted under `record`.
[[nodiscard]] gate_setting first_gate(lease_record const& record, policy const& p);

/// The server waits for more than the record names.
[[nodiscard]] bool wants_relaxing(turn const& t);

/// A write met a conflict: whom it names is waited for until another one is committed.
void doubt(turn const& t, lease_record const& refused);

/// True when the answer was to a set_gate.
bool absorb(turn const& t, carried_out const& e);
/// The replicas as the primary sees them now.
void absorb_probe(turn const& t);
void look(turn const& t);

[[nodiscard]] in_sync_entry entry_for(std::string const& node, database_facts const& facts,
                                      policy const& p);

}  // namespace bevmesh::failover::sync
