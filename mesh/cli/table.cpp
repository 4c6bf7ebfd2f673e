#include "mesh/cli/table.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t last_column_min = 12;

std::string_view escape_code(look style) {
    switch (style) {
        case look::good:
            return "\x1b[32m";
        case look::warning:
            return "\x1b[33m";
        case look::bad:
            return "\x1b[31m";
        case look::muted:
            return "\x1b[2m";
        case look::title:
            return "\x1b[1m";
        case look::plain:
            break;
    }
    return {};
}

std::string coloured(std::string const& text, look style, page const& on) {
    auto const code = escape_code(style);
    if (!on.colour || code.empty() || text.empty()) return text;
    return std::string(code) + text + "\x1b[0m";
}

cell shown(cell const& c) {
    return {c.text.empty() ? "-" : printable(c.text), c.style};
}

std::string line_of(std::vector<cell> const& row, std::vector<std::size_t> const& widths,
                    page const& on) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        auto const text = i + 1 == row.size() ? cut(row[i].text, widths[i]) : row[i].text;
        line += coloured(text, row[i].style, on);
        if (i + 1 < row.size()) line.append(widths[i] - display_width(text) + gap, ' ');
    }
    return line + "\n";
}

}  // namespace

look look_of_status(std::string const& status) {
    constexpr std::array<std::string_view, 5> good{"passing", "ok", "announced", "agree", "yes"};
    constexpr std::array<std::string_view, 5> warning{"warning", "maintenance", "announcing",
                                                      "removing", "degraded"};
    constexpr std::array<std::string_view, 6> bad{"critical", "refused", "failing",
                                                  "differ",   "nothing", "unreachable"};
    if (std::ranges::find(good, status) != good.end()) return look::good;
    if (std::ranges::find(warning, status) != warning.end()) return look::warning;
    if (std::ranges::find(bad, status) != bad.end()) return look::bad;
    return look::plain;
}

std::string paint(cell const& c, page const& on) {
    return coloured(printable(c.text), c.style, on);
}

std::string table::draw(page const& on) const {
    std::vector<std::vector<cell>> lines(1);
    for (auto const& title : titles_)
        lines.front().push_back({title, look::title});
    for (auto const& row : rows_) {
        auto& line = lines.emplace_back();
        for (auto const& c : row)
            line.push_back(shown(c));
        line.resize(titles_.size());
    }
    std::vector<std::size_t> widths(titles_.size());
    for (auto const& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], display_width(line[i].text));
    if (on.width > 0 && !widths.empty()) {
        std::size_t before = 0;
        for (std::size_t i = 0; i + 1 < widths.size(); ++i)
            before += widths[i] + gap;
        if (on.width >= before + last_column_min)
            widths.back() = std::min(widths.back(), on.width - before);
    }
    std::string drawn;
    for (auto const& line : lines)
        drawn += line_of(line, widths, on);
    return drawn;
}

}  // namespace bevmesh::cli
