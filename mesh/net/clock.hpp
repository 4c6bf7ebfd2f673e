// The one place where instants are made.
//
// CLOCK_BOOTTIME, because it goes on while the machine is suspended: a lease that ran out during
// the sleep has run out.
#pragma once

#include <time.h>

#include "mesh/base/time.hpp"

namespace bevmesh::net {

[[nodiscard]] inline instant now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return instant(seconds(t.tv_sec) + nanoseconds(t.tv_nsec));
}

}  // namespace bevmesh::net
