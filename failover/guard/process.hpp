// One process, held by a pidfd so that its pid cannot come to mean another, and read from /proc.
//
// Nothing here allocates: the guard calls it when memory may be gone.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::failover::guard {

/// pidfd_open(2); empty when there is no such process.
[[nodiscard]] descriptor open_process(pid_t pid) noexcept;
/// The pid behind a pidfd, as our PID namespace sees it; 0 when it is none, or is reaped.
[[nodiscard]] pid_t pid_of(int pidfd) noexcept;
/// Its main thread and all others have ended; for a namespace's init, every process inside too
/// (the kernel reaps them before init itself can be waited for).
[[nodiscard]] bool has_ended(int pidfd) noexcept;
void kill_process(int pidfd) noexcept;
/// False with errno: it has ended, or is not ours to signal.
[[nodiscard]] bool send_signal(int pidfd, int number) noexcept;

/// When the process was started, in clock ticks since boot: with the pid, an identity.
[[nodiscard]] std::optional<std::uint64_t> start_ticks(pid_t pid) noexcept;
/// Init of a PID namespace of its own: when it dies, so does all that runs in the container.
[[nodiscard]] bool is_namespace_init(pid_t pid) noexcept;

}  // namespace bevmesh::failover::guard
