// Text that others wrote, made fit for a terminal, and measured in its columns.
//
// Pure. Names, tags and outputs of checks are anybody's bytes: escape sequences that move the
// cursor or retitle the window, and Unicode that reorders or hides what follows, must show as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bevmesh::cli {

/// Control characters, invisible and reordering Unicode, and bytes that are not UTF-8 become
/// escapes:
/// \n, \t, \x1b, \u202e. The result is valid UTF-8 on one line; what was printable stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

/// The same for a JSON document: its line breaks stay, and the escapes are JSON's own (\u001b), so
/// that the document means what it meant. Needs valid UTF-8.
[[nodiscard]] std::string printable_json(std::string_view document);

/// Terminal columns of printable text: combining marks take none, East Asian wide characters and
/// emoji take two (Unicode's EastAsianWidth by block, not by character).
[[nodiscard]] std::size_t display_width(std::string_view text);

/// At most `columns` wide; what had to be cut ends in "…".
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

}  // namespace bevmesh::cli
