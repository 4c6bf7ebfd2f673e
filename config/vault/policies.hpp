// The Vault policies that are shipped beside this file (*-policy.hcl), as the binary carries them:
// what an administrator reads is what `bevmesh vault bootstrap` makes. Words in capitals stand for
// what the configuration names.
#pragma once

#include <string_view>

namespace bevmesh::config {

[[nodiscard]] std::string_view shipped_vault_node_policy() noexcept;
[[nodiscard]] std::string_view shipped_vault_secret_policy() noexcept;
[[nodiscard]] std::string_view shipped_vault_ca_operator_policy() noexcept;

}  // namespace bevmesh::config
