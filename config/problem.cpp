// Problems as text, and the places of keys.
#include "config/problem.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bevmesh::config {
namespace {

// The path without its last step; empty above the first.
std::string_view parent(std::string_view path) {
    auto const end = path.find_last_of(".[");
    return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

bool is_below(std::string_view path, std::string_view above) {
    return path.size() > above.size() && path.starts_with(above) &&
           (path[above.size()] == '.' || path[above.size()] == '[');
}

// Letters to insert, remove, replace, or swap with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before;
    std::vector<std::size_t> above(b.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row{i};
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row.push_back(std::min({above[j] + 1, row[j - 1] + 1, replaced}));
            bool const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(above, std::move(row));
    }
    return above[b.size()];
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
        out += "\\x";
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    } else {
        out += c;
    }
}

}  // namespace

std::string to_string(problem const& p) {
    std::string text = p.file;
    if (p.line > 0)
        text += (text.empty() ? "" : ":") + std::to_string(p.line) + ":" + std::to_string(p.column);
    if (!text.empty()) text += ": ";
    if (!p.key.empty()) text += p.key + ": ";
    text += p.message;
    if (!p.expected.empty()) text += "; expected " + p.expected;
    return text;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t most = 60;
    std::size_t length = std::min(text.size(), most);
    // Not in the middle of a character of several bytes.
    while (length < text.size() && length > 0 &&
           (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U)
        --length;
    std::string out = "\"";
    for (char const c : text.substr(0, length))
        append_escaped(out, c);
    return out + (length < text.size() ? "...\"" : "\"");
}

std::string join(std::string_view base, std::string_view key) {
    auto const is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    };
    bool const plain = !key.empty() && key.size() <= 128 && std::ranges::all_of(key, is_plain);
    std::string path(base);
    if (!path.empty()) path += '.';
    return path + (plain ? std::string(key) : in_quotes(key));
}

std::string join(std::string_view base, std::size_t index) {
    return std::string(base) + "[" + std::to_string(index) + "]";
}

std::string did_you_mean(std::string_view word, std::vector<std::string> const& known) {
    constexpr std::size_t longest = 40;
    if (word.empty() || word.size() > longest) return {};
    std::string const* nearest = nullptr;
    std::size_t best = std::max<std::size_t>(1, std::min<std::size_t>(3, word.size() / 3)) + 1;
    for (auto const& candidate : known) {
        auto const distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            nearest = &candidate;
        }
    }
    if (nearest != nullptr) return ", did you mean " + *nearest;
    for (auto const& candidate : known)
        if (word.size() >= 3 && candidate.starts_with(word)) return ", did you mean " + candidate;
    return {};
}

position locations::of(std::string_view path) const {
    for (;; path = parent(path)) {
        if (auto const found = places_.find(path); found != places_.end()) return found->second;
        if (path.empty()) return {};
    }
}

bool locations::damaged(std::string_view path) const {
    for (auto above = path; !above.empty(); above = parent(above))
        if (damaged_.contains(above)) return true;
    return damaged_.contains("");
}

bool locations::damaged_below(std::string_view path) const {
    // Not the next element alone: "a-b" sorts between "a" and "a.b".
    for (auto it = damaged_.lower_bound(path); it != damaged_.end() && it->starts_with(path); ++it)
        if (*it == path || is_below(*it, path)) return true;
    return false;
}

}  // namespace bevmesh::config
