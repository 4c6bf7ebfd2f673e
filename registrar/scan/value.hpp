// What a configuration file says, piece by piece: a value under its keys, with the way back from
// each character to the byte of the file that it stands for. Pure.
//
// Readers (readers.hpp) make values; the rest of the scan knows no format any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar::scan {

/// Text as the program behind the file reads it: quotes off, escapes undone. Of a file of less than
/// 4 GiB; views into the file's text, which outlives it, as long as nothing had to be undone.
class decoded {
public:
    decoded() = default;
    /// As it stands in the file, from byte `at` on.
    decoded(std::string_view as_it_is, std::size_t at) : view_(as_it_is), base_(at) {}

    [[nodiscard]] std::string_view text() const noexcept {
        return map_.empty() ? view_ : std::string_view(own_);
    }
    /// The byte in the file of character `i`; of the size: the byte behind the last one.
    [[nodiscard]] std::size_t source(std::size_t i) const noexcept;
    [[nodiscard]] decoded slice(std::size_t begin, std::size_t end) const;
    /// One more character, which stands at byte `at`.
    void push(char c, std::size_t at);
    /// An empty text that push() fills, whose place is `at`.
    [[nodiscard]] static decoded made_at(std::size_t at);

private:
    std::string_view view_;
    std::string own_;
    std::vector<std::uint32_t> map_;  // of own_; its last is the place behind it
    std::size_t base_ = 0;
};

struct value {
    std::vector<std::string> path;  // keys, outermost first; the last is the value's own
    decoded text;
    std::size_t group = 0;  // values of one mapping, section, list or file have the same
};

/// Numbers the groups of one file, and counts how deep its reader is in documents in strings.
class group_counter {
public:
    int documents = 0;

    [[nodiscard]] std::size_t next() noexcept { return ++last_; }

private:
    std::size_t last_ = 0;
};

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r';
}
[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// Of a key in any of the formats.
[[nodiscard]] constexpr bool is_word(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

}  // namespace bevmesh::registrar::scan
