// A copy that is complete and on disk before it has its name: for what is about to be given up.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::failover::database {

/// Files and directories (with all below) into `target`/`name`: directories 0700, files 0600, each
/// synced, then renamed into place. Returns the sources' files, as copied. errc::conflict: the name
/// is taken; errc::not_found: a source is not there. Links are not followed. Nothing is deleted but
/// an own copy that broke off. Blocks: run it on the pool.
[[nodiscard]] result<std::vector<std::filesystem::path>> copy_safely(
    std::vector<std::filesystem::path> const& sources, std::filesystem::path const& target,
    std::string const& name);

}  // namespace bevmesh::failover::database
