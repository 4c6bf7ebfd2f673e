#include "registrar/command_line.hpp"

namespace bevmesh::registrar {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Inside double quotes a backslash is one unless one of these follows it (XCU 2.2.3).
bool escapes_in_double_quotes(char c) {
    return c == '$' || c == '`' || c == '"' || c == '\\' || c == '\n';
}

}  // namespace

std::optional<std::vector<std::string>> split_command(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;  // '' is a word, too
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (quote != '\0' && c == quote) {
            quote = '\0';
        } else if (quote == '\'') {
            word += c;
        } else if (c == '\\') {
            if (i + 1 == text.size()) return {};
            char const next = text[i + 1];
            if (quote == '"' && !escapes_in_double_quotes(next)) {
                word += c;
                continue;
            }
            ++i;
            if (next == '\n') continue;
            word += next;
            in_word = true;
        } else if (quote == '"') {
            word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (is_blank(c)) {
            if (in_word) words.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != '\0') return {};
    if (in_word) words.push_back(std::move(word));
    return words;
}

}  // namespace bevmesh::registrar
