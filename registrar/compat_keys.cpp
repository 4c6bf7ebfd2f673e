#include "registrar/compat_keys.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

constexpr std::string_view prefix = "SERVICE_";

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Numbers too large for a port are simply not in any range.
std::optional<unsigned> number(std::string_view text) {
    unsigned n = 0;
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), n);
    if (!is_number(text) || parsed.ec != std::errc{}) return {};
    return n;
}

bool in_range(std::string_view range, unsigned port) {
    auto const dash = range.find('-');
    if (dash == std::string_view::npos) return false;
    auto const low = number(range.substr(0, dash));
    auto const high = number(range.substr(dash + 1));
    return low && high && *low <= port && port <= *high;
}

bool is_range(std::string_view text) {
    auto const dash = text.find('-');
    return dash != std::string_view::npos && is_number(text.substr(0, dash)) &&
           is_number(text.substr(dash + 1));
}

struct meaning {
    bool applies = false;
    int level = 0;
    std::string_view key;
};

meaning of_port(std::string_view rest, docker::port_key const& port) {
    for (std::string_view const protocol : {"tcp", "udp", "sctp"})
        if (rest.starts_with(protocol) && rest.substr(protocol.size()).starts_with('_') &&
            rest.size() > protocol.size() + 1)
            return {protocol == port.protocol, 3, rest.substr(protocol.size() + 1)};
    return {true, 2, rest};
}

meaning understand(std::string_view key, docker::port_key const& port) {
    auto const underscore = key.find('_');
    if (underscore == std::string_view::npos) return {true, 0, key};
    auto const head = key.substr(0, underscore);
    auto const rest = key.substr(underscore + 1);
    if (is_number(head)) {
        // Compared as text, as registrator does: SERVICE_080_NAME is of no port.
        if (head != std::to_string(port.port)) return {};
        return of_port(rest, port);
    }
    if (is_range(head) && rest == "ignore") return {in_range(head, port.port), 1, rest};
    return {true, 0, key};
}

}  // namespace

std::string const& port_settings::get(std::string_view key) const {
    static std::string const unset;
    auto const at = values_.find(key);
    return at == values_.end() ? unset : at->second.value;
}

bool port_settings::own(std::string_view key) const {
    auto const at = values_.find(key);
    return at != values_.end() && at->second.level > 0;
}

compat_keys::compat_keys(docker::container const& container) {
    for (auto const& entry : container.env)
        if (auto const equals = entry.find('='); equals != std::string::npos)
            add(std::string_view(entry).substr(0, equals),
                std::string_view(entry).substr(equals + 1));
    for (auto const& [key, value] : container.labels)
        add(key, value);
}

void compat_keys::add(std::string_view key, std::string_view value) {
    if (!key.starts_with(prefix) || key.size() == prefix.size()) return;
    entries_.emplace_back(to_lower(key.substr(prefix.size())), value);
}

port_settings compat_keys::for_port(docker::port_key const& port) const {
    port_settings settings;
    for (auto const& [key, value] : entries_) {
        auto const m = understand(key, port);
        if (!m.applies) continue;
        auto& at = settings.values_[std::string(m.key)];
        if (m.level < at.level) continue;
        at = {m.level, value};
    }
    return settings;
}

}  // namespace bevmesh::registrar
