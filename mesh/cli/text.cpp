#include "mesh/cli/text.hpp"

#include <algorithm>
#include <array>

namespace bevmesh::cli {
namespace {

struct character {
    char32_t code = 0;
    std::size_t length = 1;
    bool valid = false;
};

struct range {
    char32_t first;
    char32_t last;
};

template <std::size_t N>
bool among(std::array<range, N> const& ranges, char32_t code) {
    return std::ranges::any_of(ranges, [=](range r) { return code >= r.first && code <= r.last; });
}

constexpr std::array<range, 8> hidden_ranges{{{0x00, 0x1f},
                                              {0x7f, 0x9f},
                                              {0xad, 0xad},
                                              {0x061c, 0x061c},
                                              {0x200b, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2060, 0x206f},
                                              {0xfeff, 0xfeff}}};
constexpr std::array<range, 10> combining_ranges{{{0x0300, 0x036f},
                                                  {0x0483, 0x0489},
                                                  {0x0591, 0x05bd},
                                                  {0x064b, 0x065f},
                                                  {0x1ab0, 0x1aff},
                                                  {0x1dc0, 0x1dff},
                                                  {0x20d0, 0x20ff},
                                                  {0xfe00, 0xfe0f},
                                                  {0xfe20, 0xfe2f},
                                                  {0xe0100, 0xe01ef}}};
constexpr std::array<range, 11> wide_ranges{{{0x1100, 0x115f},
                                             {0x2e80, 0x303e},
                                             {0x3041, 0xa4cf},
                                             {0xac00, 0xd7a3},
                                             {0xf900, 0xfaff},
                                             {0xfe30, 0xfe6f},
                                             {0xff00, 0xff60},
                                             {0xffe0, 0xffe6},
                                             {0x1f300, 0x1f64f},
                                             {0x1f680, 0x1f9ff},
                                             {0x20000, 0x3fffd}}};

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

/// The first character of a text that is not empty. Overlong forms, surrogates and codes past
/// U+10FFFF are not UTF-8 (RFC 3629).
character first_of(std::string_view text) {
    auto const lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1, true};
    std::size_t const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {lead, 1, false};
    auto code = static_cast<char32_t>(lead & (0xffU >> (length + 1)));
    for (auto const byte : text.substr(1, length - 1)) {
        if (!is_continuation(byte)) return {lead, 1, false};
        code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return {lead, 1, false};
    return {code, length, true};
}

std::string hex(char32_t value, int digits) {
    std::string text;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        text += "0123456789abcdef"[(value >> static_cast<unsigned>(shift)) & 0xfU];
    return text;
}

std::string escape(character c) {
    if (c.valid && c.code == '\n') return "\\n";
    if (c.valid && c.code == '\t') return "\\t";
    if (c.valid && c.code == '\r') return "\\r";
    return c.code < 0x80 || !c.valid ? "\\x" + hex(c.code, 2) : "\\u" + hex(c.code, 4);
}

std::size_t width_of(char32_t code) {
    if (among(combining_ranges, code)) return 0;
    return among(wide_ranges, code) ? 2 : 1;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        auto const c = first_of(text);
        if (c.valid && !among(hidden_ranges, c.code))
            shown += text.substr(0, c.length);
        else
            shown += escape(c);
        text.remove_prefix(c.length);
    }
    return shown;
}

std::string printable_json(std::string_view document) {
    std::string shown;
    while (!document.empty()) {
        auto const c = first_of(document);
        if (c.code == '\n' || !among(hidden_ranges, c.code))
            shown += document.substr(0, c.length);
        else
            shown += "\\u" + hex(c.code, 4);
        document.remove_prefix(c.length);
    }
    return shown;
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        auto const c = first_of(text);
        columns += width_of(c.code);
        text.remove_prefix(c.length);
    }
    return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    std::string shown;
    std::size_t used = 1;  // the ellipsis
    while (!text.empty()) {
        auto const c = first_of(text);
        used += width_of(c.code);
        if (used > columns) break;
        shown += text.substr(0, c.length);
        text.remove_prefix(c.length);
    }
    return columns == 0 ? std::string() : shown + "…";
}

}  // namespace bevmesh::cli
