// How a command's data leaves: the formats, and the two that need no drawing.
//
// Pure. Every command has one JSON value; the table is the command's own drawing of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace bevmesh::cli {

enum class format { table, json, yaml };

[[nodiscard]] std::optional<format> parse_format(std::string_view name);

/// Indented by two, one line break at the end; safe on a terminal, the same value when read back.
[[nodiscard]] std::string to_json_text(nlohmann::json const& value);

/// `as` is json or yaml. Invalid UTF-8 in strings becomes U+FFFD.
[[nodiscard]] std::string to_text(nlohmann::json const& value, format as);

}  // namespace bevmesh::cli
