#include "tests/sim/consul.hpp"

namespace bevmesh::sim {

using namespace failover;

std::uint64_t consul::next_index(dice& d) {
    before_ = entry_;
    return raft_ += 1 + d.below(3);
}

std::optional<std::uint64_t> consul::write(write_record const& w, dice& d) {
    auto const current = entry_.record ? entry_.index : 0;
    if (!w.unconditional && w.base != current) return std::nullopt;
    entry_.index = next_index(d);
    entry_.record = w.record;
    if (w.endpoint == endpoint_change::publish) entry_.endpoint = w.record.holder;
    if (w.endpoint == endpoint_change::remove) entry_.endpoint.clear();
    return entry_.index;
}

void consul::remove(dice& d) {
    (void)next_index(d);
    entry_.record.reset();
    entry_.index = 0;
}

void consul::touch(dice& d) {
    if (entry_.record) entry_.index = next_index(d);
}

void consul::restore(dice& d) {
    if (!snapshot_) return;
    before_ = entry_;
    entry_ = *snapshot_;
    if (d.percent(30)) raft_ = entry_.index;
}

}  // namespace bevmesh::sim
