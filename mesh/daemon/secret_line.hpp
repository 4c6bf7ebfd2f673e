// A secret that the daemon reads from a file of one line: a token, a password.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::daemon {

/// Empty for an empty path. errc::local_error, with `what` ("the Consul token") and the path, where
/// there is none.
[[nodiscard]] result<secret> read_secret_line(std::string const& path, std::string const& what);

}  // namespace bevmesh::daemon
