// What a guard stands on: memory that cannot be paged out, a priority of its own, and the kernel's
// watchdog behind it.
#pragma once

#include <cstdint>
#include <string>

#include "failover/guard/process.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::failover::guard {

/// Everything that is or will be touched stays in memory (mlockall with MCL_ONFAULT), and all code
/// and data of the program itself and of the C and C++ libraries is brought in now; the libraries
/// of the daemon, which the same binary drags in, are left on disk. Returns the bytes locked.
[[nodiscard]] result<std::uint64_t> lock_memory();

/// SCHED_FIFO where it is allowed: the kill must not wait for a busy database.
[[nodiscard]] bool raise_priority() noexcept;

/// /dev/watchdog, fed while a process is held: if the guard is frozen too, the machine resets.
/// Opened by arm, ended in order by forget and by the death; a guard that dies leaves it running.
class kernel_watchdog {
public:
    kernel_watchdog() = default;
    /// `path` empty: none. Tries to set `timeout`; a device that cannot keeps its own.
    kernel_watchdog(std::string path, seconds timeout);

    /// Starts it when it is not running. False: the device is there and cannot be opened.
    bool start() noexcept;
    void feed() noexcept;
    void stop() noexcept;
    [[nodiscard]] bool running() const noexcept { return static_cast<bool>(device_); }

private:
    std::string path_;
    int timeout_ = 0;
    descriptor device_;
};

}  // namespace bevmesh::failover::guard
