#include "failover/driver/counts.hpp"

namespace bevmesh::failover {
namespace {

std::string_view reason_of(std::optional<lease_record> const& before, std::string_view self) {
    if (!before) return "no_record";
    if (before->state == lease_state::expired) return "expired";
    if (before->state == lease_state::released)
        return before->target == self ? "switchover" : "released";
    return "lease_ran_out";
}

}  // namespace

void driver_counts::changed(stage from, stage to, std::optional<lease_record> const& before,
                            std::string_view self, instant now) {
    if (entered_) {
        auto& spent = stages_[name(from)];
        ++spent.count;
        spent.total += now - *entered_;
    }
    entered_ = now;
    // The take's own commit is seen with the end of its stage: why it was permitted, with its
    // begin.
    if (to == stage::taking) reason_ = reason_of(before, self);
    if (from == stage::taking && to == stage::ending_streams) ++takes_[reason_];
}

}  // namespace bevmesh::failover
