// Rules of the protocol that can be broken one at a time, so that the simulator proves it would
// notice.
//
// Production code never sets one. Each enumerator names the rule as the model that found it did.
#pragma once

#include <array>
#include <string_view>

namespace bevmesh::failover {

enum class fault {
    none,
    counted_from_receipt,    // validity from the answer instead of the sending
    any_promise,             // one promise instead of all
    no_observer_wait,        // a held lease is taken without waiting O
    take_without_cas,        // the take is unconditional
    observer_waits_lease,    // O = L
    same_write_id,           // a retry carries the id of the attempt before
    mixed_rounds,            // promises of different rounds are added up
    reviving_promise,        // a promise prolongs a validity that has run out
    guard_keeps_lease,       // the guard does not forget before a release
    late_answer_unfences,    // an answer that arrives after the fence prolongs again
    ownership_by_name,       // a foreign record with one's own name counts as one's own
    set_not_union,           // promises only from the set that is being written
    raise_record_first,      // in_sync: the record before the server
    raise_without_position,  // in_sync: raised before the replica has caught up
    relax_server_first,      // in_sync: the server before the record
    relax_on_read,           // in_sync: the server on a read instead of an answer
    guard_without_promises,  // promises do not extend the guard's deadline
    no_self_fence,           // the validity runs out and nobody fences
    release_before_fence,    // the lease is released while the database still serves
    publish_before_proof,    // the endpoint is published before the write probe
    promote_out_of_sync,     // in_sync is not asked
    free_is_permission,      // a missing or expired-looking lease is taken at once
    promote_any_process,     // promotes whatever answers, also a process started meanwhile
    old_wan_numbers,         // O of the profile `wan` as it was: too short for clocks at 5 %
};

inline constexpr std::size_t fault_count = 25;

[[nodiscard]] std::string_view name(fault f) noexcept;

struct faults {
    fault which = fault::none;

    [[nodiscard]] bool operator()(fault f) const noexcept { return which == f; }

    friend bool operator==(faults const&, faults const&) = default;
};

}  // namespace bevmesh::failover
