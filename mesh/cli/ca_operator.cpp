#include "mesh/cli/ca_operator.hpp"

#include <ostream>

#include <CLI/CLI.hpp>

#include "config/loader.hpp"
#include "mesh/cli/admin_token.hpp"
#include "mesh/cli/vault_view.hpp"

namespace bevmesh::cli {

void add_operator_options(CLI::App& command, operator_options& into) {
    command.add_option("--config,-c", into.config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    command.add_option("--token-file", into.token_file, "Where an administrator's token is")
        ->type_name("FILE");
}

std::optional<ca_operator> open_ca(session& run, operator_options const& said,
                                   boost::asio::any_io_executor executor) {
    auto loaded = config::load_file(said.config_file);
    for (auto const& problem : loaded.problems)
        run.io().err << config::to_string(problem) << "\n";
    if (!loaded.problems.empty()) {
        run.finish(exit_status::local_error);
        return std::nullopt;
    }
    ca_operator made;
    made.mesh = std::move(loaded.value);
    if (made.mesh.vault.addresses.empty()) {
        run.fail({errc::bad_input,
                  said.config_file + ": vault: is not there; expected vault.addresses"});
        return std::nullopt;
    }
    auto const token = admin_token(said.token_file);
    if (!token) {
        run.fail(token.error());
        return std::nullopt;
    }
    auto vault = vault::make_authority(std::move(executor), made.mesh.vault, *token);
    if (!vault) {
        run.fail(with_vault_hint(vault.error()));
        return std::nullopt;
    }
    made.vault = std::move(*vault);
    return made;
}

}  // namespace bevmesh::cli
