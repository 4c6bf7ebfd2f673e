// The ACL policies that are shipped beside this file (*-policy.hcl), as the binary carries them:
// what an administrator reads is what `bevmesh consul bootstrap` makes. In those of one node,
// "NODE" stands for its name.
#pragma once

#include <string_view>

namespace bevmesh::config {

[[nodiscard]] std::string_view shipped_agent_policy() noexcept;
[[nodiscard]] std::string_view shipped_daemon_policy() noexcept;
[[nodiscard]] std::string_view shipped_dns_policy() noexcept;
/// Behind the daemon's, where it tells the agent that its certificate is another.
[[nodiscard]] std::string_view shipped_reload_policy() noexcept;

}  // namespace bevmesh::config
