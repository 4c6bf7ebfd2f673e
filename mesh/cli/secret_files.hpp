// Files with secrets that a bootstrap leaves for the nodes, below one directory of ours.
//
// Files are born with mode 0600 and replaced whole, directories with 0700. A directory that
// somebody else could write to is refused: what is put there could be exchanged.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::cli {

/// Absent: empty.
[[nodiscard]] result<std::string> read_whole(std::string const& path);
/// Ours, and nobody else's to write to, where it is there.
[[nodiscard]] result<void> check_directory(std::string const& path);
[[nodiscard]] result<void> own_directory(std::string const& path);

/// The first line of a file; empty: there is no such file. errc::local_error: it cannot be read.
[[nodiscard]] result<secret> read_secret(std::string const& path);
/// `path` in `directory` or in a directory in it; makes both.
[[nodiscard]] result<void> write_secret(std::string const& directory, std::string const& path,
                                        secret const& content);

}  // namespace bevmesh::cli
