// JSON values as a YAML document, for people and for every YAML reader.
//
// Pure. The output means the same under YAML 1.1 and 1.2: a string that any of them could take for
// a number, a boolean, a null or a date ("on", "1.0", "12:30", "~") is quoted, and what a terminal
// would obey is escaped.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace bevmesh::cli {

/// Block style, two blanks a level, with a line break at the end. Texts of several lines become
/// literal blocks where those can carry them exactly. Strings must be valid UTF-8.
[[nodiscard]] std::string to_yaml(nlohmann::json const& value);

}  // namespace bevmesh::cli
