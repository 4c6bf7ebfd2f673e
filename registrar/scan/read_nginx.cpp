// nginx: words up to ";", blocks in braces.
#include <algorithm>

#include "registrar/scan/readers.hpp"

namespace bevmesh::registrar::scan {
namespace {

constexpr std::size_t deepest = 64;

struct nginx_block {
    std::string name;
    std::size_t group = 0;
};

/// Where the directive that begins at `at` ends: at ";", "{", "}", a comment, or the text's end.
/// Quotes and "${name}" hold what would end it.
std::size_t directive_end(std::string_view text, std::size_t at) {
    char quote = 0;
    for (; at < text.size(); ++at) {
        char const c = text[at];
        bool const begins_word = at == 0 || is_blank(text[at - 1]) || text[at - 1] == '\n';
        if (c == '\\') {
            ++at;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if ((c == '"' || c == '\'') && begins_word) {
            quote = c;
        } else if (c == '$' && text.substr(at).starts_with("${")) {
            auto const close = text.find_first_of("}\n", at);
            if (close == std::string_view::npos) return text.size();
            at = close;
        } else if (c == ';' || c == '{' || c == '}' || (c == '#' && begins_word)) {
            return at;
        }
    }
    return text.size();
}

}  // namespace

void read_nginx(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
                std::vector<value>& out) {
    auto const text = in.text();
    std::vector<nginx_block> blocks{{"", groups.next()}};
    for (std::size_t at = 0; at < text.size();) {
        char const c = text[at];
        if (c == '#') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        if (is_blank(c) || c == '\n' || c == ';' || c == '{') {
            ++at;
            continue;
        }
        if (c == '}') {
            if (blocks.size() > 1) blocks.pop_back();
            ++at;
            continue;
        }
        auto const end = directive_end(text, at);
        auto word = at;
        while (word < end && !is_blank(text[word]) && text[word] != '\n')
            ++word;
        auto keys = path;
        for (std::size_t i = 1; i < blocks.size(); ++i)
            keys.push_back(blocks[i].name);
        keys.emplace_back(text.substr(at, word - at));
        if (end < text.size() && text[end] == '{' && blocks.size() < deepest)
            blocks.push_back({keys.back(), groups.next()});
        auto from = word;
        while (from < end && (is_blank(text[from]) || text[from] == '\n'))
            ++from;
        if (from < end) out.push_back({std::move(keys), in.slice(from, end), blocks.back().group});
        at = std::max(end, at + 1);
    }
}

}  // namespace bevmesh::registrar::scan
