#include "registrar/scan/readers.hpp"

#include <algorithm>
#include <array>

namespace bevmesh::registrar::scan {
namespace {

/// JSON in a string of JSON in a string ...: each level doubles the backslashes, nobody goes far.
constexpr int deepest_document = 4;

/// The opening of a JSON document, which a shell's "{a,b}" or a template's "{{x}}" is not.
bool looks_like_json(std::string_view text) {
    auto const first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
    auto const next = text.find_first_not_of(" \t\r\n", first + 1);
    if (next == std::string_view::npos) return false;
    return text[next] == '"' || text[next] == '\\' || (text[first] == '[' && text[next] == '{') ||
           (text[first] == '[' && is_digit(text[next]));
}

bool looks_like_nginx(std::string_view text) {
    return text.find(";\n") != std::string_view::npos && text.find('{') != std::string_view::npos &&
           (text.find("server") != std::string_view::npos ||
            text.find("proxy_") != std::string_view::npos);
}

/// A document whose quotes are still escaped, as in VALUE="{\"host\": ...}".
decoded without_backslashes(decoded const& in) {
    auto const text = in.text();
    auto made = decoded::made_at(in.source(0));
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        made.push(text[i], in.source(i));
    }
    return made;
}

bool add_document(value const& v, group_counter& groups, std::vector<value>& out) {
    if (groups.documents >= deepest_document) return false;
    auto const text = v.text.text();
    auto at = text.find_first_not_of(" \t\r\n");
    auto const had = out.size();
    auto const next = text.find_first_not_of(" \t\r\n", at + 1);
    bool const escaped =
        text[next] == '\\' || (text[next] == '{' && text.find("\\\"", next) == next + 1);
    auto const document = escaped ? without_backslashes(v.text) : v.text;
    if (escaped) at = document.text().find_first_of("{[");
    ++groups.documents;
    bool const whole = read_flow(document, at, v.path, groups, out);
    --groups.documents;
    if (!whole) out.resize(had);
    return whole;
}

}  // namespace

std::string_view name(kind k) noexcept {
    constexpr std::array<std::string_view, 10> names{
        "compose", "yaml", "json", "env", "ini", "properties", "toml", "shell", "nginx", "hosts"};
    return names[static_cast<std::size_t>(k)];
}

void add_value(value v, group_counter& groups, std::vector<value>& out) {
    if (v.text.text().empty()) return;
    if (looks_like_json(v.text.text()) && add_document(v, groups, out)) return;
    out.push_back(std::move(v));
}

void read_embedded(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
                   std::vector<value>& out) {
    if (looks_like_json(in.text())) {
        auto const had = out.size();
        auto at = in.text().find_first_not_of(" \t\r\n");
        if (read_flow(in, at, path, groups, out)) return;
        out.resize(had);
    }
    if (looks_like_nginx(in.text())) return read_nginx(in, path, groups, out);
    read_lines(kind::shell, in, path, groups, out);
}

std::vector<value> read(kind k, std::string_view text) {
    std::vector<value> out;
    group_counter groups;
    // A byte order mark is no part of the first key.
    std::size_t const mark = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
    decoded const in(text.substr(mark), mark);
    switch (k) {
        case kind::compose:
        case kind::yaml:
            read_yaml(in, {}, groups, out);
            break;
        case kind::json: {
            // Also one document after the other.
            std::size_t done = 0;
            for (auto at = in.text().find_first_of("{["); at < in.text().size();
                 at = in.text().find_first_of("{[", at)) {
                auto const had = out.size();
                if (!read_flow(in, at, {}, groups, out)) {
                    out.resize(had);
                    break;
                }
                done = at;
            }
            // What is broken is plain text.
            read_lines(kind::shell, in.slice(done, in.text().size()), {}, groups, out);
            break;
        }
        case kind::nginx:
            read_nginx(in, {}, groups, out);
            break;
        default:
            read_lines(k, in, {}, groups, out);
    }
    return out;
}

}  // namespace bevmesh::registrar::scan
