#include "mesh/base/backoff.hpp"

#include <algorithm>

namespace bevmesh {

milliseconds backoff_delay(backoff_policy const& policy, unsigned attempt, random_source& random) {
    // 2^20 times the base is over any cap in use; the bound keeps the shift defined.
    unsigned const doublings = std::min(attempt, 20U);
    auto const longest = std::min(policy.cap, policy.base * (std::int64_t{1} << doublings));
    auto const half = std::max<std::int64_t>(longest.count() / 2, 1);
    return milliseconds(
        half + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(half) + 1)));
}

}  // namespace bevmesh
