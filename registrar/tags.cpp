#include "registrar/tags.hpp"

namespace bevmesh::registrar {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\r";
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<std::string> label_value(std::string_view quoted, docker::container const& c) {
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return {};
    auto const key = quoted.substr(1, quoted.size() - 2);
    if (key.find_first_of("\"\\") != std::string_view::npos) return {};
    auto const at = c.labels.find(std::string(key));
    return at == c.labels.end() ? std::string() : at->second;
}

std::optional<std::string> value_of(std::string_view expression, docker::container const& c) {
    constexpr std::string_view labels = "index .Config.Labels ";
    if (expression.starts_with(labels))
        return label_value(trimmed(expression.substr(labels.size())), c);
    if (expression == ".ID" || expression == ".Id") return c.id;
    if (expression == ".Name") return "/" + c.name;  // as Docker and so registrator has it
    if (expression == ".Config.Hostname") return c.hostname;
    if (expression == ".Config.Image" || expression == ".Image") return c.image;
    if (expression == ".HostConfig.NetworkMode") return c.network_mode;
    return {};
}

}  // namespace

std::vector<std::string> split_tags(std::string_view list) {
    std::vector<std::string> tags;
    std::string tag;
    for (std::size_t i = 0; i < list.size(); ++i) {
        bool const escaped = list[i] == '\\' && i + 1 < list.size() && list[i + 1] == ',';
        if (escaped) ++i;
        if (list[i] != ',' || escaped) {
            tag += list[i];
            continue;
        }
        if (!tag.empty()) tags.push_back(std::move(tag));
        tag.clear();
    }
    if (!tag.empty()) tags.push_back(std::move(tag));
    return tags;
}

std::optional<std::string> expand_template(std::string_view text, docker::container const& c) {
    std::string expanded;
    for (;;) {
        auto const open = text.find("{{");
        expanded += text.substr(0, open);
        if (open == std::string_view::npos) return expanded;
        text.remove_prefix(open + 2);
        auto const close = text.find("}}");
        if (close == std::string_view::npos) return {};
        auto const value = value_of(trimmed(text.substr(0, close)), c);
        if (!value) return {};
        expanded += *value;
        text.remove_prefix(close + 2);
    }
}

}  // namespace bevmesh::registrar
