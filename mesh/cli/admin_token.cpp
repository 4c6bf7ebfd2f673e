#include "mesh/cli/admin_token.hpp"

#include <cstdlib>

#include "mesh/vault/secret_file.hpp"

namespace bevmesh::cli {

result<secret> admin_token(std::string const& file) {
    if (!file.empty()) return vault::read_secret_file(file);
    auto const* const from_environment = std::getenv("VAULT_TOKEN");
    if (from_environment != nullptr && *from_environment != '\0') return secret(from_environment);
    return failure{
        errc::bad_input,
        "no administrator's token: --token-file FILE, or VAULT_TOKEN in the environment"};
}

}  // namespace bevmesh::cli
