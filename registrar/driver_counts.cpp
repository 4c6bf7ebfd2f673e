#include "registrar/driver_counts.hpp"

#include <algorithm>

namespace bevmesh::registrar {

void latency_counts::add(nanoseconds took) {
    // Clocks that were set may make it negative.
    auto const seconds = std::max(std::chrono::duration<double>(took).count(), 0.0);
    auto const bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    ++counts.at(static_cast<std::size_t>(bucket));
    sum += seconds;
}

}  // namespace bevmesh::registrar
