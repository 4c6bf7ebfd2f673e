// Two texts compared line by line, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::consul {

struct diff_line {
    enum class kind { same, removed, added };
    kind what = kind::same;
    std::string text;

    friend bool operator==(diff_line const&, diff_line const&) = default;
};

/// By the longest common subsequence, what goes before what comes. Quadratic: for texts of some
/// hundred lines.
[[nodiscard]] std::vector<diff_line> diff_lines(std::string_view before, std::string_view after);

/// Without the line breaks; a last line without one counts.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace bevmesh::consul
