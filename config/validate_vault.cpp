// The rules for Vault.
#include <set>

#include "config/findings.hpp"
#include "config/format.hpp"

namespace bevmesh::config {

void check_vault(mesh_config const& config, findings& found) {
    auto const& vault = config.vault;
    if (vault.addresses.empty()) return;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < vault.addresses.size(); ++i)
        if (!seen.insert(vault.addresses[i]).second)
            found.report(join("vault.addresses", i), vault.addresses[i] + " is there twice",
                         "each server once");
    auto const& pki = vault.pki;
    if (pki.mount == pki.root_mount)
        found.report("vault.pki.root_mount", in_quotes(pki.mount) + " is the intermediate's mount",
                     "a mount of its own for the root");
    if (vault.kv.mount == pki.mount || vault.kv.mount == pki.root_mount)
        found.report("vault.kv.mount", in_quotes(vault.kv.mount) + " is a mount of the PKI",
                     "a mount of its own for secrets");
    auto const& approle = vault.approle;
    if (approle.role.find("NODE") == std::string::npos && config.nodes.size() > 1)
        found.report("vault.auth.approle.role",
                     in_quotes(approle.role) + " is the same for every node",
                     "NODE in it, for the node's name");
    for (auto const& [path, nodes] : vault.kv.paths)
        for (std::size_t i = 0; i < nodes.size(); ++i)
            check_node_name(nodes[i], join(join("vault.kv.paths", path), i), config, found);
}

}  // namespace bevmesh::config
