// What a file is.
#include <algorithm>
#include <array>
#include <utility>

#include "registrar/scan/scan.hpp"

namespace bevmesh::registrar::scan {
namespace {

using std::string_view;

struct by_ending {
    string_view ending;
    kind is;
};

constexpr std::array endings{
    by_ending{".yaml", kind::yaml},
    by_ending{".yml", kind::yaml},
    by_ending{".json", kind::json},
    by_ending{".jsonc", kind::json},
    by_ending{".json5", kind::json},
    by_ending{".env", kind::env},
    by_ending{".ini", kind::ini},
    by_ending{".cfg", kind::ini},
    by_ending{".cnf", kind::ini},
    by_ending{".service", kind::ini},
    by_ending{".properties", kind::properties},
    by_ending{".toml", kind::toml},
    by_ending{".sh", kind::shell},
    by_ending{".bash", kind::shell},
    by_ending{".dockerfile", kind::shell},
    by_ending{".hosts", kind::hosts},
};

bool has(string_view text, string_view what) {
    return text.find(what) != string_view::npos;
}

bool is_nginx(string_view text) {
    return (has(text, ";\n") || has(text, ";\r\n")) && has(text, "{") &&
           (has(text, "server ") || has(text, "server{") || has(text, "location ") ||
            has(text, "upstream ") || has(text, "proxy_pass"));
}

bool is_compose(string_view name, string_view text) {
    return name.starts_with("docker-compose") || name.starts_with("compose.") ||
           name.starts_with("docker-stack") || has(name, "compose") ||
           ((text.starts_with("services:") || has(text, "\nservices:")) &&
            (has(text, "image:") || has(text, "build:")));
}

/// ".env", ".env.production", "production.env"; "api.env.example".
bool is_env(string_view name) {
    return name == "env" || name.starts_with(".env") || name.ends_with(".env") ||
           has(name, ".env.");
}

}  // namespace

std::optional<kind> kind_of(string_view whole_name, string_view text) {
    auto name = lower(whole_name);
    // A template, an example or a copy is of the kind that it is of.
    for (string_view const more : {".example", ".sample", ".template", ".tmpl", ".j2", ".dist"})
        if (name.ends_with(more) && name.size() > more.size())
            name.resize(name.size() - more.size());
    if (is_env(name)) return kind::env;
    if (name == "hosts") return kind::hosts;
    if (name.starts_with("dockerfile") || has(name, "entrypoint")) return kind::shell;
    if (name == "nginx.conf") return kind::nginx;
    if (name.ends_with(".conf") || name.ends_with(".vhost"))
        return is_nginx(text) ? kind::nginx : kind::ini;
    for (auto const& [ending, is] : endings) {
        if (!name.ends_with(ending)) continue;
        return is == kind::yaml && is_compose(name, text) ? kind::compose : is;
    }
    if (text.starts_with("#!") && has(text.substr(0, text.find('\n')), "sh")) return kind::shell;
    if (!has(name, ".") && is_nginx(text)) return kind::nginx;
    return std::nullopt;
}

kind kind_by_text(string_view text) {
    auto const first = text.find_first_not_of(" \t\r\n");
    if (first != string_view::npos && (text[first] == '{' || text[first] == '[')) return kind::json;
    if (is_nginx(text)) return kind::nginx;
    if (text.starts_with("---") || is_compose("", text)) return kind::yaml;
    return text.starts_with("#!") ? kind::shell : kind::ini;
}

}  // namespace bevmesh::registrar::scan
