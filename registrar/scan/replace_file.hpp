// A file replaced as a whole, its old self kept beside it. Blocking.
//
// At every moment the path holds the old file or the new one, complete and on disk: a new file with
// the old one's owner, mode and attributes is written beside it and renamed over it. The backup is
// the old file itself under another name (a hard link), made before.
#pragma once

#include <string>
#include <string_view>

#include "mesh/base/result.hpp"

namespace bevmesh::registrar::scan {

/// What is at `path` must still be `before`; conflict where somebody wrote in between, or is at it.
/// local_error: read-only, or this machine failed; the file is then as it was. A symbolic link
/// stays, the file behind it is replaced. Gives the backup's path: FILE.before-bevmesh, or with a
/// number.
[[nodiscard]] result<std::string> replace_file(std::string const& path, std::string_view before,
                                               std::string_view after);

/// Names that replace_file() leaves: backups, and new files of a run that was killed.
[[nodiscard]] bool is_leftover(std::string_view name) noexcept;

}  // namespace bevmesh::registrar::scan
