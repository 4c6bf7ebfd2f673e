// Points in time without a clock.
//
// Pure code receives `instant` as an argument and cannot read the time: `timeline` has no now().
// The one place that makes instants from CLOCK_BOOTTIME is mesh/net/clock.hpp.
#pragma once

#include <chrono>

namespace bevmesh {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct timeline {
    using duration = nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<timeline>;
    static constexpr bool is_steady = true;
};

/// Nanoseconds since an arbitrary origin that is the same for the life of the process.
using instant = timeline::time_point;

}  // namespace bevmesh
