// The process's own streams: what they are connected to, and the end of the data's way.
#pragma once

#include <iosfwd>
#include <string_view>

#include "mesh/cli/console.hpp"

namespace bevmesh::cli {

/// Colour by the manners of clig.dev: on a terminal, unless NO_COLOR is set (no-color.org: to
/// anything but the empty text) or TERM is "dumb" or missing. Null: not set.
[[nodiscard]] bool wants_colour(bool is_terminal, char const* no_color, char const* term) noexcept;

/// The console of this process; data is gathered in `data`, for write_data().
[[nodiscard]] console process_console(std::ostream& data);

/// Writes all of it to the standard output and gives the status to exit with: `status`, or 1 where
/// that failed. A reader that has seen enough (`| head -1`, EPIPE) is no failure.
[[nodiscard]] int write_data(std::string_view data, int status);

}  // namespace bevmesh::cli
