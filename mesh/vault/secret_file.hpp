// Files that hold what logs in: read only when nobody else could.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::vault {

/// The first line, without blanks at its end. errc::not_found where there is no file;
/// errc::local_error, with what to do, where its mode or owner lets others read it, and where it is
/// empty.
[[nodiscard]] result<secret> read_secret_file(std::string const& path);

}  // namespace bevmesh::vault
