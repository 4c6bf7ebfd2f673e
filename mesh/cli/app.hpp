// The command line as a whole: from arguments to an exit status.
#pragma once

#include <string>
#include <vector>

#include "mesh/cli/console.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {

/// `arguments` without the program's name. Data is written to `io.out` as a whole; what is wrong
/// with the arguments goes to `io.err` with what may have been meant, and the status is 1.
[[nodiscard]] int run(std::vector<std::string> arguments, console io,
                      session::daemon_runner run_daemon);

}  // namespace bevmesh::cli
