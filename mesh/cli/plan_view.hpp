// Pieces of a plan as it is shown before it is done. Pure.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/line_diff.hpp"
#include "mesh/base/plan_step.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// One line, marked and coloured by what is done.
[[nodiscard]] std::string headline(step_kind what, std::string const& text, page const& on);
[[nodiscard]] std::string draw_diff(std::vector<diff_line> const& diff, page const& on);
/// "1 policy", "3 policies".
[[nodiscard]] std::string counted(std::size_t n, std::string const& one, std::string const& many);

}  // namespace bevmesh::cli
