#include "registrar/scan/edit.hpp"

#include <algorithm>

namespace bevmesh::registrar::scan {
namespace {

constexpr std::size_t around = 3;

/// With their line breaks.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size() - 1) + 1;
        lines.push_back(text.substr(at, end - at));
        at = end;
    }
    return lines;
}

void put(std::string& to, char sign, std::string_view line) {
    to += sign;
    to += line;
    if (!line.ends_with('\n')) to += "\n\\ No newline at end of file\n";
}

/// As git quotes a name that would break the line, or that patch would end early.
std::string quoted(std::string_view side, std::string const& path) {
    std::size_t from = 0;
    while (path.compare(from, 2, "./") == 0 || path.compare(from, 1, "/") == 0)
        from += path[from] == '/' ? 1 : 2;
    auto const plain = std::string(side) + path.substr(from);
    bool const odd = std::ranges::any_of(plain, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f;
    });
    if (!odd) return plain.find(' ') == std::string::npos ? plain : plain + "\t";
    std::string made = "\"";
    for (char const c : plain) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            made += '\\';
            made += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            made += '\\';
            for (unsigned const shift : {6U, 3U, 0U})
                made += static_cast<char>('0' + ((byte >> shift) & 7U));
        } else {
            made += c;
        }
    }
    return made + "\"";
}

}  // namespace

bool is_written(finding const& f, confidence least) noexcept {
    return !f.left && !f.is.name.empty() && f.is.sure >= std::max(least, confidence::low);
}

std::string edited(std::string_view text, std::vector<finding> const& found, confidence least) {
    std::string made;
    std::size_t done = 0;
    for (auto const& f : found) {
        if (!is_written(f, least) || f.begin < done) continue;
        made += text.substr(done, f.begin - done);
        made += f.is.name;
        done = f.end;
    }
    made += text.substr(done);
    return made;
}

std::string unified_diff(std::string const& path, std::string_view before, std::string_view after) {
    auto const old_lines = lines_of(before);
    auto const new_lines = lines_of(after);
    auto const count = std::min(old_lines.size(), new_lines.size());
    std::string made;
    for (std::size_t i = 0; i < count;) {
        if (old_lines[i] == new_lines[i]) {
            ++i;
            continue;
        }
        auto const begin = i < around ? 0 : i - around;
        auto last = i;
        for (auto j = i; j < count && j <= last + 2 * around; ++j)
            if (old_lines[j] != new_lines[j]) last = j;
        auto const end = std::min(last + 1 + around, count);
        if (made.empty()) made = "--- " + quoted("a/", path) + "\n+++ " + quoted("b/", path) + "\n";
        auto const range = std::to_string(begin + 1) + "," + std::to_string(end - begin);
        made += "@@ -" + range + " +" + range + " @@\n";
        for (auto j = begin; j < end;) {
            auto same = j;
            while (same < end && old_lines[same] != new_lines[same])
                ++same;
            for (auto k = j; k < same; ++k)
                put(made, '-', old_lines[k]);
            for (auto k = j; k < same; ++k)
                put(made, '+', new_lines[k]);
            if (same < end) put(made, ' ', old_lines[same]);
            j = same + 1;
        }
        i = end;
    }
    return made;
}

}  // namespace bevmesh::registrar::scan
