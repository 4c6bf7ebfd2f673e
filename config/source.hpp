// The bytes of a document before a parser sees them.
//
// The parser takes what this lets through and nothing else: it is quadratic or worse on some huge
// inputs, takes the byte 4 for the end of the file, guesses at UTF-16, and replaces bad UTF-8.
#pragma once

#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace bevmesh::config {

/// A mesh of thousands of services fits; what is larger is no configuration.
inline constexpr std::size_t longest_document = std::size_t{1} << 20U;

/// The text without its byte order mark.
[[nodiscard]] std::string_view without_bom(std::string_view text);

/// All that is wrong with the bytes (at most 20 problems): size, UTF-8 (RFC 3629), characters that
/// YAML 1.2 does not allow (section 5.1), line ends other than LF and CRLF, tabs in indentation.
/// `text` is without its byte order mark.
[[nodiscard]] std::vector<problem> check_source(std::string_view text);

/// Turns columns in bytes, which the parser counts, into columns in characters.
class line_index {
public:
    explicit line_index(std::string_view text);
    /// `line` from 1, `byte_column` from 0.
    [[nodiscard]] position place(int line, int byte_column) const;

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

}  // namespace bevmesh::config
