// Two texts compared line by line, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bevmesh {

struct diff_line {
    enum class kind { same, removed, added };
    kind what = kind::same;
    std::string text;

    friend bool operator==(diff_line const&, diff_line const&) = default;
};

/// By the longest common subsequence, what goes before what comes. Quadratic: for texts of some
/// hundred lines.
[[nodiscard]] std::vector<diff_line> diff_lines(std::string_view before, std::string_view after);

/// "+ text", "- text", "  text".
[[nodiscard]] std::string marked(diff_line const& line);

/// Without empty lines and those that are comments from their start: HCL as a program wants it.
[[nodiscard]] std::string without_comments(std::string_view text);

/// Without the line breaks; a last line without one counts.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace bevmesh
