// The bytes of a document before a parser sees them.
#include "config/source.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace bevmesh::config {
namespace {

constexpr std::size_t most_problems = 20;

struct character {
    char32_t code = 0;
    std::size_t length = 0;  // in bytes; 0: not UTF-8
};

// The character at the start of `text`, which is not empty.
character decode(std::string_view text) {
    auto const byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    auto const first = byte(0);
    if (first < 0x80) return {first, 1};
    if (first < 0xc2 || first > 0xf4) return {};
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t code = first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return {};
        code = (code << 6U) | (byte(i) & 0x3fU);
    }
    bool const overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (overlong || surrogate || code > 0x10ffff) return {};
    return {code, length};
}

bool is_allowed(char32_t c) {
    if (c == '\t' || c == '\n') return true;
    if (c < 0x20 || c == 0x7f) return false;
    if (c >= 0x80 && c < 0xa0) return c == 0x85;
    return c != 0xfffe && c != 0xffff;
}

std::string hex(std::uint32_t value, std::size_t width) {
    std::string text;
    for (; value != 0 || text.size() < width; value >>= 4U)
        text.insert(text.begin(), "0123456789abcdef"[value & 15U]);
    return text;
}

bool looks_like_utf16(std::string_view text) {
    return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
}

// What is wrong with the character; nothing: all is well.
std::optional<problem> judge(std::string_view text, std::size_t offset, character c) {
    problem found;
    if (c.length == 0) {
        auto const byte = static_cast<unsigned char>(text[offset]);
        found.message = "the byte 0x" + hex(byte, 2) + " is not UTF-8";
        found.expected = "text in UTF-8";
    } else if (c.code == '\r') {
        if (text.substr(offset + 1).starts_with('\n')) return {};
        found.message = "a carriage return that no line feed follows";
        found.expected = "lines that end in LF or CRLF";
    } else if (c.code == 0) {
        found.message = "a NUL byte";
        found.expected = "text";
    } else if (!is_allowed(c.code)) {
        found.message = "the control character U+" + hex(c.code, 4);
        found.expected = "text (YAML allows no control characters but tab and line ends)";
    } else {
        return {};
    }
    return found;
}

// A tab among the blanks that a line with content begins with.
bool indents_with_tab(std::string_view line) {
    auto const content = line.find_first_not_of(" \t\r");
    return content != std::string_view::npos && line[content] != '#' &&
           line.substr(0, content).find('\t') != std::string_view::npos;
}

}  // namespace

std::string_view without_bom(std::string_view text) {
    constexpr std::string_view bom = "\xef\xbb\xbf";
    return text.starts_with(bom) ? text.substr(bom.size()) : text;
}

std::vector<problem> check_source(std::string_view text) {
    if (text.size() > longest_document)
        return {{"", 0, 0, "", "larger than 1 MiB", "a configuration of at most 1 MiB"}};
    if (looks_like_utf16(text)) return {{"", 1, 1, "", "text in UTF-16", "text in UTF-8"}};
    std::vector<problem> problems;
    position at{1, 1};
    bool line_start = true;
    for (std::size_t offset = 0; offset < text.size() && problems.size() < most_problems;) {
        if (line_start) {
            auto const line = text.substr(offset, text.find('\n', offset) - offset);
            if (indents_with_tab(line)) {
                auto const tab = static_cast<int>(line.find('\t'));
                problems.push_back(
                    {"", at.line, tab + 1, "", "a tab in the indentation", "spaces"});
            }
        }
        auto const c = decode(text.substr(offset));
        if (auto found = judge(text, offset, c)) {
            found->line = at.line;
            found->column = at.column;
            problems.push_back(*std::move(found));
        }
        line_start = c.code == '\n';
        at = line_start ? position{at.line + 1, 1} : position{at.line, at.column + 1};
        offset += std::max<std::size_t>(c.length, 1);
    }
    return problems;
}

line_index::line_index(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n') starts_.push_back(i + 1);
}

position line_index::place(int line, int byte_column) const {
    if (line < 1 || static_cast<std::size_t>(line) > starts_.size()) return {line, byte_column + 1};
    auto const rest = text_.substr(starts_[static_cast<std::size_t>(line) - 1]);
    auto const before = rest.substr(0, static_cast<std::size_t>(std::max(byte_column, 0)));
    auto const characters = std::ranges::count_if(
        before, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    return {line, static_cast<int>(characters) + 1};
}

}  // namespace bevmesh::config
