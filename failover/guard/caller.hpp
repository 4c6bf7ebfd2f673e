// Asking a guard from a program without an event loop: the verbs of the command line, ExecStopPost.
#pragma once

#include <string>

#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::guard {

class caller {
public:
    [[nodiscard]] static result<caller> connect(std::string const& socket);

    /// One exchange. A refusal is an answer; failures are unreachable, timed_out, truncated (the
    /// guard closed: it is gone, or a newer daemon is there) and bad_answer, and end the
    /// connection.
    [[nodiscard]] result<answer> ask(request what, milliseconds limit, int pidfd = -1);

private:
    explicit caller(descriptor connection) : connection_(std::move(connection)) {}

    descriptor connection_;
    std::uint64_t number_ = 0;
};

/// The identity of a running process; errc::not_found when there is none. Where /proc hides it, as
/// from a sandboxed daemon, start_ticks is 0, and the pidfd must go with it.
[[nodiscard]] result<victim_id> identify(std::int32_t pid, std::string const& cgroup, bool alone);

/// After the guard: kills what its state file says that it held, unless the daemon that armed it
/// still lives and `spare_daemon` is set (it will find its guard gone, and fence by itself). Waits
/// for the death. True: something was killed.
[[nodiscard]] result<bool> fence_from_file(std::string const& state_file, milliseconds limit,
                                           bool spare_daemon);

}  // namespace bevmesh::failover::guard
