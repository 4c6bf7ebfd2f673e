// `bevmesh consul bootstrap`: its plan and its troubles in words. Pure.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/cli/table.hpp"
#include "mesh/consul/bootstrap.hpp"

namespace bevmesh::cli {

/// Policies with the diff of their rules, then tokens, then notes; what stays as it is in one line.
[[nodiscard]] std::string draw_plan(consul::bootstrap_plan const& plan, page const& on);

/// The failure with what a person can do about it.
[[nodiscard]] failure with_acl_hint(failure f, std::string const& address);

/// Where the files of `directory` go.
[[nodiscard]] std::string next_steps(std::string const& directory, std::string const& token_file);

}  // namespace bevmesh::cli
