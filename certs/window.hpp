// Maintenance windows: a cron line says when one opens, a duration how long it stays open.
//
// Pure. Times are UTC, to the minute. Of cron it has the five fields with *, lists, ranges and
// steps; where day of month and day of week are both given, either is enough, as in cron.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>
#include <vector>

#include "certs/life.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::certs {

class window {
public:
    /// "0 2 * * 6,0": Saturdays and Sundays at two. Sunday is 0 or 7.
    [[nodiscard]] static result<window> parse(std::string_view cron, std::chrono::minutes open);

    [[nodiscard]] bool is_open(wall_time at) const;
    /// The first moment from `from` on at which it is open, if there is one before `limit`.
    [[nodiscard]] std::optional<wall_time> next(wall_time from, wall_time limit) const;

private:
    window() = default;
    [[nodiscard]] bool opens_on(std::chrono::sys_days day) const;
    [[nodiscard]] bool opens_at(wall_time minute) const;

    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;
    bool any_day_ = false;
    bool any_weekday_ = false;
    std::chrono::minutes open_{};
};

/// The first moment of any of them; without windows every moment is one.
[[nodiscard]] std::optional<wall_time> next_open(std::vector<window> const& windows, wall_time from,
                                                 wall_time limit);

}  // namespace bevmesh::certs
