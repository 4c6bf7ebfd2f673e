#include "mesh/cli/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <nlohmann/json.hpp>

#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

/// Words that some version of YAML reads as a boolean, a null, a merge or a value key.
bool is_reserved_word(std::string_view text) {
    constexpr std::array<std::string_view, 11> words{"y",    "n",     "yes",  "no", "on", "off",
                                                     "true", "false", "null", "~",  "="};
    if (text.size() > 5) return false;
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::ranges::find(words, lower) != words.end();
}

/// Plain scalars: a letter, _, / or non-ASCII first (so never a number, a date or an indicator),
/// then nothing that could end the scalar or start a comment.
bool can_be_plain(std::string_view text) {
    if (text.empty() || is_reserved_word(text) || printable(text) != text) return false;
    auto const first = static_cast<unsigned char>(text.front());
    if (std::isalpha(first) == 0 && first != '_' && first != '/' && first < 0x80) return false;
    if (text.back() == ' ' || text.back() == ':') return false;
    return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos &&
           text.find_first_of("\"{}[]&*!|>`\\") == std::string_view::npos;
}

/// JSON's escapes are a subset of YAML's double-quoted ones.
std::string quoted(std::string const& text) {
    return printable_json(json(text).dump());
}

/// At least two lines, one line break at most at the end, nothing but printable text and no line
/// whose blanks a reader could mistake for indentation.
bool can_be_literal(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.find('\n') == std::string_view::npos) return false;
    if (text.front() == ' ' || text.front() == '\n' || text.back() == '\n') return false;
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        if (printable(line) != line || line.ends_with(' ')) return false;
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return true;
}

std::string literal(std::string_view text, std::size_t indent) {
    std::string block = text.ends_with('\n') ? "|" : "|-";
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        block += '\n';
        if (!line.empty()) block.append(indent, ' ').append(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return block;
}

/// YAML 1.1 wants a point in a float: 1e+20 would be a string.
std::string number(json const& value) {
    auto text = value.dump();
    if (!value.is_number_float()) return text;
    auto const exponent = text.find('e');
    if (exponent != std::string::npos && text.find('.') == std::string::npos)
        text.insert(exponent, ".0");
    return text;
}

std::string scalar(json const& value, std::size_t indent) {
    if (value.is_number()) return number(value);
    if (!value.is_string()) return value.dump();  // null, true, false, [], {}
    auto const& text = value.get_ref<std::string const&>();
    if (can_be_plain(text)) return text;
    return can_be_literal(text) ? literal(text, indent) : quoted(text);
}

std::string key(std::string const& text) {
    return can_be_plain(text) ? text : quoted(text);
}

void emit(json const& value, std::size_t indent, std::string& out);

/// What follows "key:" or "-": a scalar on the same line, or a block.
void emit_below(json const& value, std::size_t indent, bool in_list, std::string& out) {
    if (!value.is_structured() || value.empty()) {
        out += " " + scalar(value, indent) + "\n";
        return;
    }
    if (in_list) {
        // "- " takes the place of the first line's indentation.
        std::string block;
        emit(value, indent, block);
        out += " " + block.substr(indent);
        return;
    }
    out += "\n";
    emit(value, indent, out);
}

void emit(json const& value, std::size_t indent, std::string& out) {
    if (value.is_object()) {
        for (auto const& [name, member] : value.items()) {
            out.append(indent, ' ').append(key(name)).append(":");
            emit_below(member, indent + 2, false, out);
        }
    } else {
        for (auto const& item : value) {
            out.append(indent, ' ').append("-");
            emit_below(item, indent + 2, true, out);
        }
    }
}

}  // namespace

std::string to_yaml(json const& value) {
    if (!value.is_structured() || value.empty()) return scalar(value, 2) + "\n";
    std::string out;
    emit(value, 0, out);
    return out;
}

}  // namespace bevmesh::cli
