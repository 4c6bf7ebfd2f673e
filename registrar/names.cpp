#include "registrar/names.hpp"

#include <algorithm>

namespace bevmesh::registrar {
namespace {

constexpr std::size_t longest_label = 63;

bool is_lower_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string image_base(std::string_view image) {
    if (image.starts_with("sha256:")) return {};
    image = image.substr(0, image.find('@'));
    while (image.ends_with('/'))
        image.remove_suffix(1);
    if (auto const slash = image.rfind('/'); slash != std::string_view::npos)
        image.remove_prefix(slash + 1);
    return std::string(image.substr(0, image.find(':')));
}

std::string to_dns_label(std::string_view text) {
    std::string label;
    for (char const raw : text) {
        if (label.size() == longest_label) break;
        char const c = lower(raw);
        if (is_lower_alnum(c))
            label += c;
        else if (!label.empty() && label.back() != '-')
            label += '-';
    }
    while (label.ends_with('-'))
        label.pop_back();
    return label;
}

bool is_dns_label(std::string_view text) {
    if (text.empty() || text.size() > longest_label) return false;
    if (text.starts_with('-') || text.ends_with('-')) return false;
    return std::ranges::all_of(text, [](char c) { return is_lower_alnum(lower(c)) || c == '-'; });
}

std::string service_id(std::string_view host, docker::container const& container,
                       docker::port_key const& port) {
    auto id = std::string(host) + ":" + display_name(container) + ":" + std::to_string(port.port);
    if (port.protocol != "tcp") id += ":" + port.protocol;
    return id;
}

std::string display_name(docker::container const& container) {
    return container.name.empty() ? container.id.substr(0, 12) : container.name;
}

std::string to_lower(std::string_view text) {
    std::string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), lower);
    return lowered;
}

}  // namespace bevmesh::registrar
