// What a Redis holds, copied aside before a resync that would lose it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::failover::redis {

struct quarantine_source {
    std::filesystem::path data;  // the server's `dir` as this process sees it
    std::string rdb_name;        // dbfilename
    std::string aof_directory;   // appenddirname; empty: none
};

/// RDB and AOF below `target`/`name` (0700, files 0600), complete and on disk before the directory
/// has that name; returns what was copied. errc::conflict: the name is taken. errc::not_found:
/// there is neither RDB nor AOF. Nothing is ever deleted but an own copy that broke off. Blocks:
/// run it on the pool.
[[nodiscard]] result<std::vector<std::filesystem::path>> quarantine(
    quarantine_source const& source, std::filesystem::path const& target, std::string const& name);

}  // namespace bevmesh::failover::redis
