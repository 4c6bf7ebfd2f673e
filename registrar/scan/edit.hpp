// A file's text with names in it, and how it differs from before. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registrar/scan/scan.hpp"

namespace bevmesh::registrar::scan {

/// Whether this is written where at least `least` is asked for.
[[nodiscard]] bool is_written(finding const& f, confidence least) noexcept;

/// The text with the names of what is_written(); every other byte as it was.
[[nodiscard]] std::string edited(std::string_view text, std::vector<finding> const& found,
                                 confidence least);

/// A unified diff with three lines around each change, for `patch -p1`; empty where nothing
/// differs. The texts have the same number of lines.
[[nodiscard]] std::string unified_diff(std::string const& path, std::string_view before,
                                       std::string_view after);

}  // namespace bevmesh::registrar::scan
