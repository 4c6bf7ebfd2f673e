// Counts what one thread allocates, whichever allocator the build has.
#pragma once

#include <cstddef>

namespace bevmesh::testing {

/// From here on the calling thread's allocations count.
void count_allocations_here();
[[nodiscard]] std::size_t allocations_counted();

}  // namespace bevmesh::testing
