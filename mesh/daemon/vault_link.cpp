#include "mesh/daemon/vault_link.hpp"

#include "mesh/daemon/state.hpp"
#include "mesh/log/log.hpp"
#include "mesh/vault/kept.hpp"
#include "mesh/vault/secret_file.hpp"

namespace bevmesh::daemon {
namespace {

/// What was kept; a lost or broken file is as good as none, and is said.
vault::session_kept read_kept(std::string const& path,
                              std::function<void(vault::say, std::string const&)> const& tell) {
    auto const text = vault::read_secret_file(path);
    if (text.has_error()) {
        if (text.error().code != errc::not_found) tell(vault::say::warning, text.error().doing);
        return {};
    }
    auto kept = vault::decode_kept(text->reveal());
    if (kept.has_value()) return std::move(*kept);
    tell(vault::say::warning, "read " + path + ": " + kept.error().doing);
    return {};
}

}  // namespace

result<std::unique_ptr<vault_link>> vault_link::make(
    boost::asio::any_io_executor executor, mesh_config const& mesh, std::string const& node,
    std::uint64_t seed, std::function<void(vault::say, std::string const&)> tell) {
    auto const settings = vault::for_node(mesh.vault, node);
    auto const& where = mesh.nodes.at(node);
    auto client = vault::make_client(executor, settings, where);
    if (client.has_error()) return client.error();
    auto login = vault::make_login_client(executor, settings, where);
    if (login.has_error()) return login.error();
    auto const path = mesh.state_dir + "/vault.json";
    auto kept = read_kept(path, tell);
    vault::session_hooks hooks;
    hooks.read_files = [how = settings.approle] { return vault::read_session_files(how); };
    hooks.keep = [path](vault::session_kept const& now) {
        return replace_file(path, vault::encode_kept(now).reveal());
    };
    hooks.tell = std::move(tell);
    std::unique_ptr<vault_link> made(new vault_link);
    made->client_ = std::move(*client);
    made->session_ = std::make_unique<vault::session>(
        std::move(executor), std::move(*login), *made->client_,
        vault::policy_for(settings.approle, node), std::move(kept), std::move(hooks), seed);
    return made;
}

std::unique_ptr<vault_link> open_vault(boost::asio::any_io_executor executor,
                                       mesh_config const& mesh, std::string const& node,
                                       std::uint64_t seed) {
    log::logger const out("vault");
    if (mesh.vault.addresses.empty()) return nullptr;
    auto const tell = [out](vault::say level, std::string const& text) {
        if (level == vault::say::alarm)
            out.error(text);
        else if (level == vault::say::warning)
            out.warning(text);
        else
            out.info(text);
    };
    auto made = vault_link::make(std::move(executor), mesh, node, seed, tell);
    if (made.has_value()) return std::move(*made);
    out.error("no Vault", {{"reason", describe(made.error())}});
    return nullptr;
}

}  // namespace bevmesh::daemon
