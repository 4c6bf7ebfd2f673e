// A command in one string, as labels must give it, made into the arguments of a program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar {

/// Splits like a POSIX shell (XCU 2.2: blanks, '...', "...", backslash) and does nothing else that
/// a shell does: no variables, globs, pipes or substitutions, so that a label cannot start more
/// than the one program. Empty when a quote is left open or a backslash is the last character.
[[nodiscard]] std::optional<std::vector<std::string>> split_command(std::string_view text);

}  // namespace bevmesh::registrar
