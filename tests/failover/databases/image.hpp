// Real database servers out of one of the lab's images, run in a chroot as children of the test.
//
// They see the host's /tmp, so a scratch directory has one path inside and outside.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/time.hpp"
#include "tests/failover/guard/processes.hpp"

namespace bevmesh::testing {

/// Where the image is unpacked; done once for all tests of the machine.
[[nodiscard]] std::string const& image_root(std::string const& name);

struct command {
    std::string image = "base";
    std::vector<std::string> argv;
    uid_t user = 0;
    std::string log;  // both outputs, appended
};

/// What `child` runs: the command instead of the test.
[[nodiscard]] std::function<void()> in_image(command what);
/// Runs it to its end; the exit status.
int run_in_image(command what);

/// A port of 127.0.0.1 that is given to nobody else: from the first one on, this program and its
/// servers have a network of their own.
[[nodiscard]] std::uint16_t free_port();

}  // namespace bevmesh::testing
