// The token of who administers Vault, as the commands take it that talk to Vault themselves.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::cli {

/// Of the file (mode 0600), where one is named, else of VAULT_TOKEN in the environment.
[[nodiscard]] result<secret> admin_token(std::string const& file);

}  // namespace bevmesh::cli
