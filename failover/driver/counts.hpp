// What a driver counts for its metrics: how long each stage of a move took, and why leases were
// taken.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "failover/state.hpp"

namespace bevmesh::failover {

struct stage_time {
    std::uint64_t count = 0;
    nanoseconds total{0};
};

class driver_counts {
public:
    /// `before` is the record as it was seen before the change.
    void changed(stage from, stage to, std::optional<lease_record> const& before,
                 std::string_view self, instant now);

    /// By the stage's name.
    [[nodiscard]] std::map<std::string_view, stage_time> const& stages() const noexcept {
        return stages_;
    }
    /// By reason: "switchover", "released", "expired", "lease_ran_out", "no_record".
    [[nodiscard]] std::map<std::string_view, std::uint64_t> const& takes() const noexcept {
        return takes_;
    }

private:
    std::map<std::string_view, stage_time> stages_;
    std::map<std::string_view, std::uint64_t> takes_{
        {"switchover", 0}, {"released", 0}, {"expired", 0}, {"lease_ran_out", 0}, {"no_record", 0}};
    std::optional<instant> entered_;
    std::string_view reason_ = "no_record";
};

}  // namespace bevmesh::failover
