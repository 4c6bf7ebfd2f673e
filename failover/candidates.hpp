// Who could be primary, in order, and why not: comparison of what the members say.
//
// Pure. The same list decides a takeover, answers `failover explain` and shows the topology before
// a switchover.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "failover/policy.hpp"
#include "failover/state.hpp"

namespace bevmesh::failover {

struct candidate {
    std::string node;
    bool fit = false;
    std::string why;     // not fit: the first reason, in words
    bool heard = false;  // it answered the last question
    position at = 0;
    int priority = 0;
};

/// Every member of the record (or of the policy, when there is none), the best first. `loss`: as if
/// the operator accepted the loss of data.
[[nodiscard]] std::vector<candidate> candidates(state const& s, policy const& p, instant now,
                                                bool loss = false);

/// Empty: `facts` may be promoted under `record`; else the first reason against it.
[[nodiscard]] std::string unfit(std::string const& node, member_report const& report,
                                lease_record const* record, policy const& p, bool loss);

/// This node, as it would report itself.
[[nodiscard]] member_report own_report(state const& s, policy const& p, instant now);

/// Whether the lease may be taken by this node now, whoever is fit.
struct permission {
    bool given = false;
    std::string why;            // in words, both ways
    std::optional<instant> at;  // not yet: when it will be, if nothing changes
    bool own_chain = false;     // our own writes are the last in the entry
    bool died = false;          // the old primary's process is known to be dead
    bool elapsed = false;       // by O
    bool vacant = false;        // the key is missing
};
[[nodiscard]] permission may_take(state const& s, policy const& p, instant now);

}  // namespace bevmesh::failover
