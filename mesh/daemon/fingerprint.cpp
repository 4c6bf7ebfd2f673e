#include "mesh/daemon/fingerprint.hpp"

#include <array>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "config/schema.hpp"

namespace bevmesh::daemon {

std::string fingerprint_of(mesh_config const& config) {
    auto const text = config::document().show(config).dump();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    constexpr auto digits = "0123456789abcdef";
    std::string hex;
    for (std::size_t i = 0; i < 8; ++i) {
        hex += digits[digest[i] >> 4U];
        hex += digits[digest[i] & 15U];
    }
    return hex;
}

}  // namespace bevmesh::daemon
