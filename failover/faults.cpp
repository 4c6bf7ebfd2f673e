#include "failover/faults.hpp"

namespace bevmesh::failover {

std::string_view name(fault f) noexcept {
    static constexpr std::array<std::string_view, fault_count> names{
        "none",
        "counted_from_receipt",
        "any_promise",
        "no_observer_wait",
        "take_without_cas",
        "observer_waits_lease",
        "same_write_id",
        "mixed_rounds",
        "reviving_promise",
        "guard_keeps_lease",
        "late_answer_unfences",
        "ownership_by_name",
        "set_not_union",
        "raise_record_first",
        "raise_without_position",
        "relax_server_first",
        "relax_on_read",
        "guard_without_promises",
        "no_self_fence",
        "release_before_fence",
        "publish_before_proof",
        "promote_out_of_sync",
        "free_is_permission",
        "promote_any_process",
        "old_wan_numbers",
    };
    auto const at = static_cast<std::size_t>(f);
    return at < names.size() ? names[at] : "?";
}

}  // namespace bevmesh::failover
