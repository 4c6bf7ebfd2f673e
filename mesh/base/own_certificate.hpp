// Where a node's daemon has its own certificate of Vault: known to all who ask as the node.
#pragma once

#include <string>

namespace bevmesh {

struct own_certificate {
    std::string folder;  // a service's, with the daemon as its only reader
    std::string certificate;
    std::string key;
    std::string trusted;
};

[[nodiscard]] inline own_certificate own_certificate_in(std::string const& state_dir) {
    auto const folder = state_dir + "/certs/bevmesh";
    auto const in_use = folder + "/current/";
    return {folder, in_use + "cert.pem", in_use + "key.pem", in_use + "ca.pem"};
}

}  // namespace bevmesh
