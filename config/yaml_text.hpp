// JSON values as YAML for people: block style, short lists in one line, quotes only where needed.
//
// Every YAML parser of version 1.1 or 1.2 reads the text as the same value. Pure.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace bevmesh::config {

/// For the path of a scalar or a list in one line, a remark behind it; empty: none.
using remark = std::function<std::string(std::string const& path)>;

[[nodiscard]] std::string to_yaml(nlohmann::ordered_json const& value, remark const& about = {});

}  // namespace bevmesh::config
