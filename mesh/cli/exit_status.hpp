// What the shell is told. Scripts depend on these numbers: they never change their meaning.
//
// 130 (interrupted) is not here: SIGINT keeps its default, the process dies of it, and the shell
// reports 128 + 2, as shells expect of a well-behaved program.
#pragma once

#include "mesh/base/result.hpp"

namespace bevmesh::cli {

enum class exit_status : int {
    done = 0,
    local_error = 1,   // usage, a file, this machine; also: the thing asked for does not exist
    remote_error = 2,  // the daemon, Consul or another part failed or cannot be reached
    degraded = 3,      // the answer is complete, and it is bad news
    timed_out = 4,
    refused = 5,  // a safety gate said no
};

/// The status for an operation that a remote part failed or was never asked.
[[nodiscard]] constexpr exit_status status_of(errc code) noexcept {
    switch (code) {
        case errc::bad_input:
        case errc::not_found:
        case errc::local_error:
        case errc::canceled:
            return exit_status::local_error;
        case errc::timed_out:
            return exit_status::timed_out;
        default:
            return exit_status::remote_error;
    }
}

}  // namespace bevmesh::cli
