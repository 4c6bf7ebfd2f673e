// Who rolls the CA over and revokes: the mesh's configuration, and Vault with an operator's token.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "mesh/base/config.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::cli {

struct operator_options {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string token_file;
};
/// --config, --token-file.
void add_operator_options(CLI::App& command, operator_options& into);

struct ca_operator {
    mesh_config mesh;
    std::unique_ptr<vault::authority> vault;
};
/// Nothing, and the status is left, where one of them is not to be had. Vault is not asked yet.
[[nodiscard]] std::optional<ca_operator> open_ca(session& run, operator_options const& said,
                                                 boost::asio::any_io_executor executor);

}  // namespace bevmesh::cli
