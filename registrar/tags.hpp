// Lists of tags as registrator writes them, and the fields of a container that may stand in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/docker/types.hpp"

namespace bevmesh::registrar {

/// A list with commas; "\," is a comma in a tag, empty items are dropped, blanks stay
/// (registrator's parser gives the same set, in reverse order).
[[nodiscard]] std::vector<std::string> split_tags(std::string_view list);

/// Fills in what registrator's Go templates are used for in practice: {{.ID}} {{.Name}} {{.Image}}
/// {{.Config.Hostname}} {{.Config.Image}} {{.HostConfig.NetworkMode}} and
/// {{index .Config.Labels "KEY"}}. Empty for any other expression: the functions, of which one
/// fetches URLs (httpGet), are refused.
[[nodiscard]] std::optional<std::string> expand_template(std::string_view text,
                                                         docker::container const& container);

}  // namespace bevmesh::registrar
