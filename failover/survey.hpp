// A look at all the other members before the lease is taken, and what it can say against it.
//
// Pure.
#pragma once

#include "failover/turn.hpp"

namespace bevmesh::failover {

struct survey {
    bool complete = false;  // every other member answered
    bool over = false;      // complete, or whoever is silent had R
    std::size_t heard = 1;  // self included
    std::string serving;    // a member that says that it serves
    std::string primary;    // a member whose database says that it is primary
    std::string differing;  // a member with another configuration
};

/// By what the members answered since this stage was entered.
[[nodiscard]] survey look_around(turn const& t);

/// The missing key's election: exactly one primary, or one history that has all the others'. Empty:
/// this node creates the key.
[[nodiscard]] std::string against_creating(turn const& t, survey const& v);

/// With ANY k of n acknowledging, some k of any n - k + 1 members have every write.
[[nodiscard]] std::string against_quorum(turn const& t, survey const& v);

/// Somebody who knows of a later epoch than the one that we took; empty: nobody.
[[nodiscard]] std::string knows_later_epoch(turn const& t);

[[nodiscard]] bool wished(turn const& t, order what);
/// Promote with --accept-data-loss, or init.
[[nodiscard]] bool loss_accepted(turn const& t);

}  // namespace bevmesh::failover
