// Decides who may take writes. Pure: knows nothing of Consul, sockets or clocks.
//
// Every fact arrives as an event, every effect leaves as an action, and time is whatever the caller
// says it is (CLOCK_BOOTTIME; it may not be another clock: the guard shares the deadline). The core
// is level-triggered: an event only changes what is known; then one look at all that is known
// decides what is to be done now and is not yet under way.
//
// Invariant: the database is promoted, and stays so, only while now < valid_until - F, where
// valid_until is counted from the *sending* of the newest own write known to be committed (or of a
// round of promises that every other member granted).
#pragma once

#include <optional>
#include <vector>

#include "failover/action.hpp"
#include "failover/policy.hpp"
#include "failover/state.hpp"

namespace bevmesh::failover {

struct decision {
    state next;
    std::vector<action> actions;
};

/// `before` is moved from. One state per group and daemon, made as `state{}`; the first event is
/// `started`.
[[nodiscard]] decision step(state before, event const& what, instant now, policy const& p);

/// When a `tick` is due. The driver's timer may be late, never early.
[[nodiscard]] instant next_wake(state const& s, policy const& p);

}  // namespace bevmesh::failover
