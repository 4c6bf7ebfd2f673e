// Durations as labels and environment variables write them: Go's syntax, because registrator handed
// them to Consul as they were ("10s", "1m30s", "1.5h", "500ms").
#pragma once

#include <optional>
#include <string_view>

#include "mesh/base/time.hpp"

namespace bevmesh::registrar {

/// Go's time.ParseDuration, without signs. Rounded up to whole milliseconds, so that what is not
/// zero stays so. Empty for what Go refuses (a number without unit other than "0"), and for more
/// than ten years, which is somebody's mistake.
[[nodiscard]] std::optional<milliseconds> parse_go_duration(std::string_view text);

}  // namespace bevmesh::registrar
