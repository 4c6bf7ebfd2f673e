#include "mesh/base/line_diff.hpp"

#include <algorithm>

namespace bevmesh {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<diff_line> diff_lines(std::string_view before, std::string_view after) {
    auto const a = lines_of(before);
    auto const b = lines_of(after);
    // common[i][j]: how many lines a[i...] and b[j...] share.
    std::vector<std::vector<std::size_t>> common(a.size() + 1,
                                                 std::vector<std::size_t>(b.size() + 1, 0));
    for (std::size_t i = a.size(); i-- > 0;)
        for (std::size_t j = b.size(); j-- > 0;)
            common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1
                                        : std::max(common[i + 1][j], common[i][j + 1]);
    std::vector<diff_line> out;
    using kind = diff_line::kind;
    for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
        bool const both = i < a.size() && j < b.size();
        if (both && a[i] == b[j]) {
            out.push_back({kind::same, a[i]});
            ++i;
            ++j;
        } else if (j == b.size() || (both && common[i + 1][j] >= common[i][j + 1])) {
            out.push_back({kind::removed, a[i++]});
        } else {
            out.push_back({kind::added, b[j++]});
        }
    }
    return out;
}

std::string marked(diff_line const& line) {
    using kind = diff_line::kind;
    return (line.what == kind::same ? "  " : line.what == kind::removed ? "- " : "+ ") + line.text;
}

std::string without_comments(std::string_view text) {
    std::string kept;
    for (auto const& line : lines_of(text))
        if (!line.empty() && !line.starts_with('#')) kept += line + "\n";
    return kept;
}

}  // namespace bevmesh
