// Programs of the node, run by argv, never by a shell, and bounded in time and in what is kept of
// their output.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::net {

struct program {
    std::vector<std::string> argv;         // argv[0] is looked for in our PATH
    std::vector<std::string> environment;  // "KEY=VALUE", besides PATH: nothing else of ours
    /// Whom it runs as, with the groups and no more: a name or a number of this host. Empty: as we
    /// do. Needs setpriv(1), and CAP_SETUID and CAP_SETGID unless it is us.
    std::string user = {};
};

/// Runs it in a process group of its own with no descriptor of ours, and waits for its end. Status
/// 0 is success; another, a signal, or no such program is errc::local_error with a sentence. After
/// `limit` its process group is killed: errc::timed_out. When canceled, it is left to go on.
[[nodiscard]] boost::asio::awaitable<result<void>> run_program(program what, milliseconds limit);

/// Of each of its outputs, the last that is kept.
inline constexpr std::size_t output_kept = std::size_t{64} << 10U;

/// The same, and gives what it wrote to its standard output. What it wrote to the other one ends
/// the sentence of a failure.
[[nodiscard]] boost::asio::awaitable<result<std::string>> read_program(program what,
                                                                       milliseconds limit);

}  // namespace bevmesh::net
