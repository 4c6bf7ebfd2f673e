// Sizes in bytes, with a unit: "512KiB", "16MiB", "1GiB". Whole numbers, powers of 1024.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/type.hpp"

namespace bevmesh::config {

[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// The largest unit that leaves no rest.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] type_of<std::uint64_t> size(std::uint64_t least, std::uint64_t most);

}  // namespace bevmesh::config
