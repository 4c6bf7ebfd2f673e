#include "registrar/limits.hpp"

#include <algorithm>
#include <set>

namespace bevmesh::registrar {
namespace {

constexpr std::size_t longest_key = 128;
constexpr std::size_t longest_value = 512;
// Consul sets no limit; a longer one is no tag but an accident (Traefik's rules reach some
// hundreds).
constexpr std::size_t longest_tag = 4096;

bool is_key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

std::string trouble_with_meta(std::string const& key, std::string const& value) {
    if (key.empty()) return "its key is empty";
    if (key.size() > longest_key) return "its key is longer than 128 bytes";
    if (!std::ranges::all_of(key, is_key_char)) return "its key has other than A-Z a-z 0-9 _ -";
    if (key.starts_with("consul-")) return "keys that begin with consul- are Consul's own";
    if (key == "external-source" || key.starts_with("bevmesh-"))
        return "bevmesh marks its own entries with this key";
    if (value.size() > longest_value) return "its value is longer than 512 bytes";
    if (!is_utf8(value)) return "its value is not UTF-8";
    return {};
}

std::string trouble_with_tag(std::string const& tag) {
    if (tag.empty()) return "it is empty";
    if (tag.size() > longest_tag) return "it is longer than 4096 bytes";
    if (!is_plain_text(tag)) return "it is not plain UTF-8 text";
    return {};
}

// Length of the well-formed sequence at the start of `text`; 0: there is none.
std::size_t utf8_sequence(std::string_view text) {
    auto const byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    auto const first = byte(0);
    if (first < 0x80) return 1;
    std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0U) != 0x80) return 0;
    auto const second = byte(1);
    bool const overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    bool const beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : length;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        auto const length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_plain_text(std::string_view text) {
    return is_utf8(text) && std::ranges::none_of(text, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

std::string excerpt(std::string_view text) {
    constexpr std::size_t most = 40;
    std::string shown(text.substr(0, most));
    auto const unprintable = [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte > 0x7e;
    };
    std::ranges::replace_if(shown, unprintable, '?');
    return text.size() > most ? shown + "..." : shown;
}

void keep_to_limits(consul::service_definition& service, std::string_view container,
                    std::vector<note>& notes) {
    auto const drop = [&](std::string code, std::string const& what, std::string const& why) {
        notes.push_back({note::severity::warning, std::move(code),
                         "container " + std::string(container) + ", service " + service.name +
                             ": " + what + " is left out: " + why});
    };
    std::map<std::string, std::string> meta;
    std::size_t too_many = 0;
    for (auto& [key, value] : service.meta) {
        if (auto const why = trouble_with_meta(key, value); !why.empty())
            drop("meta-dropped", "meta \"" + excerpt(key) + "\"", why);
        else if (meta.size() == most_meta_pairs)
            ++too_many;
        else
            meta.emplace(key, std::move(value));
    }
    if (too_many > 0)
        drop("meta-dropped", std::to_string(too_many) + " further meta",
             "a service can have " + std::to_string(most_meta_pairs));
    service.meta = std::move(meta);

    std::vector<std::string> tags;
    std::set<std::string> seen;
    for (auto& tag : service.tags) {
        if (auto const why = trouble_with_tag(tag); !why.empty())
            drop("tag-dropped", "tag \"" + excerpt(tag) + "\"", why);
        else if (seen.insert(tag).second)
            tags.push_back(std::move(tag));
    }
    service.tags = std::move(tags);
}

}  // namespace bevmesh::registrar
