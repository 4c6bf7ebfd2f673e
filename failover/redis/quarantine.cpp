#include "failover/redis/quarantine.hpp"

#include "failover/database/safe_copy.hpp"

namespace bevmesh::failover::redis {

result<std::vector<std::filesystem::path>> quarantine(quarantine_source const& source,
                                                      std::filesystem::path const& target,
                                                      std::string const& name) {
    std::vector<std::filesystem::path> parts;
    std::error_code none;
    for (auto const& part : {source.rdb_name, source.aof_directory})
        if (!part.empty() && std::filesystem::exists(source.data / part, none))
            parts.push_back(source.data / part);
    if (parts.empty())
        return failure{errc::not_found, "quarantine " + source.data.string() +
                                            ": neither an RDB nor an AOF is there"};
    return database::copy_safely(parts, target, name);
}

}  // namespace bevmesh::failover::redis
