// Tables for the terminal: columns as wide as their widest cell, two blanks between.
//
// Pure. Cells are escaped here (text.hpp), so that no caller can forget it. Nothing is cut unless
// the page has a width, which only a terminal has: what goes into a pipe is whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bevmesh::cli {

/// What is drawn on. Colour and width come from the terminal.
struct page {
    bool colour = false;
    std::size_t width = 0;  // columns; 0: no limit
};

enum class look { plain, good, warning, bad, muted, title };

struct cell {
    std::string text;  // as a peer wrote it; an empty one is drawn as "-"
    look style = look::plain;
};

/// passing, ok, agree... good; warning, maintenance... warning; critical, failing... bad.
[[nodiscard]] look look_of_status(std::string const& status);

/// Escaped, and in the style's colour if the page has colour.
[[nodiscard]] std::string paint(cell const& c, page const& on);

class table {
public:
    explicit table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

    /// As many cells as there are titles.
    void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    /// Titles and rows, a line each. On a page with a width the last column is cut to fit, as long
    /// as 12 columns are left for it.
    [[nodiscard]] std::string draw(page const& on) const;

private:
    std::vector<std::string> titles_;
    std::vector<std::vector<cell>> rows_;
};

}  // namespace bevmesh::cli
