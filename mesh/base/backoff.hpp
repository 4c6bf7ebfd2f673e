// How long to wait before the next try.
//
// Exponential with full jitter in the upper half: attempt n waits in [d/2, d] with
// d = min(base * 2^n, cap). The lower half is kept so that a retry never turns into a tight loop.
#pragma once

#include "mesh/base/random.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh {

struct backoff_policy {
    milliseconds base{200};
    milliseconds cap{30'000};
};

/// `attempt` counts failures so far, starting with 0 for the wait after the first.
[[nodiscard]] milliseconds backoff_delay(backoff_policy const& policy, unsigned attempt,
                                         random_source& random);

}  // namespace bevmesh
