// `bevmesh vault bootstrap`: its plan and its troubles in words. Pure.
#pragma once

#include <string>

#include "mesh/base/result.hpp"
#include "mesh/cli/table.hpp"
#include "mesh/vault/bootstrap.hpp"

namespace bevmesh::cli {

/// Each step that changes something with its diff; what stays as it is in one line.
[[nodiscard]] std::string draw_plan(vault::setup_plan const& plan, page const& on);

/// The failure with what a person can do about it.
[[nodiscard]] failure with_vault_hint(failure f);

/// Where the files of `directory` go.
[[nodiscard]] std::string vault_next_steps(std::string const& directory,
                                           approle_config const& settings, bool wrapped);

}  // namespace bevmesh::cli
