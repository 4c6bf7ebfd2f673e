// Paths of Vault's API, and PEM as it is kept. Internal to mesh/vault.
#pragma once

#include <string>
#include <string_view>

#include "mesh/net/http.hpp"

namespace bevmesh::vault {

/// Slashes stay.
[[nodiscard]] inline std::string encoded_path(std::string_view path) {
    std::string out;
    for (;;) {
        auto const slash = path.find('/');
        out += net::percent_encode(path.substr(0, slash));
        if (slash == std::string_view::npos) return out;
        out += '/';
        path.remove_prefix(slash + 1);
    }
}

/// Without the slash that a mount's name ends in.
[[nodiscard]] inline std::string mount_path(std::string_view mount) {
    while (mount.ends_with('/'))
        mount.remove_suffix(1);
    return encoded_path(mount);
}

/// Without line breaks around it: Vault ends some documents with one and some without.
[[nodiscard]] inline std::string trimmed_pem(std::string_view text) {
    auto const first = text.find_first_not_of(" \r\n");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \r\n") + 1 - first));
}

}  // namespace bevmesh::vault
