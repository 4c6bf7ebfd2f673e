// The chain of own writes: what is ours, until when it is good, and what is to be written next.
//
// Pure. A write counts from its sending, and only once it is known to be committed: by its answer,
// or because the entry was read back with the attempt's own write_id. A record that is neither the
// head of the chain nor an attempt of ours is foreign, whatever name is on it.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover::lease {

void inherit(turn const& t, inheritance const& left);
void absorb(turn const& t, record_seen const& e);
void absorb(turn const& t, read_failed const& e);
void absorb(turn const& t, write_answered const& e);

/// Sends `record` as the next link of the chain that ends at `base`.
void send(turn const& t, intent what, lease_record record, std::uint64_t base,
          endpoint_change endpoint);

/// Attempts that had no answer in time become overdue, and the entry is read.
void look(turn const& t);
/// The renewal, when it is due or the record has to say something new.
void look_renewal(turn const& t);

/// Unresolved takes and marks: while there is one, no promise is given.
[[nodiscard]] bool take_is_open(state const& s);

/// Consul has not answered this node for longer than a lost request and the next one take.
[[nodiscard]] bool out_of_touch(state const& s, policy const& p, instant now);

/// How long an observer waits after the last change: O, or the record's term and O.
[[nodiscard]] nanoseconds observer_wait(lease_record const& r, policy const& p);

}  // namespace bevmesh::failover::lease
