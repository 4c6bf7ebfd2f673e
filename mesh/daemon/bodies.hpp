// The bodies that users and other daemons send: what is missing, or of another type, is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace bevmesh::daemon {

/// Empty: absent.
[[nodiscard]] inline std::string text_at(nlohmann::json const& body, char const* key) {
    if (!body.is_object()) return {};
    auto const at = body.find(key);
    return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

[[nodiscard]] inline std::optional<std::int64_t> number_at(nlohmann::json const& body,
                                                           char const* key) {
    if (!body.is_object()) return std::nullopt;
    auto const at = body.find(key);
    if (at == body.end() || !at->is_number_integer()) return std::nullopt;
    return at->get<std::int64_t>();
}

}  // namespace bevmesh::daemon
