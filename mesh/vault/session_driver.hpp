// Keeps a node logged in: does what session.hpp decides, and gives the client its token.
//
// One request at a time, a timer, and nothing else; the files and the state are read and written
// through functions, so that this knows no directory.
#pragma once

#include <functional>
#include <memory>

#include "mesh/vault/client.hpp"
#include "mesh/vault/login.hpp"
#include "mesh/vault/session.hpp"

namespace bevmesh::vault {

struct session_hooks {
    std::function<result<session_files>()> read_files;
    std::function<result<void>(session_kept const&)> keep;
    std::function<void(say, std::string const&)> tell;
    std::function<std::optional<instant>()> needed_by = nullptr;  // of session_event; may be empty
};

class session {
public:
    /// The client gets its tokens from here from now on; it outlives this.
    session(boost::asio::any_io_executor executor, std::unique_ptr<login_client> login, client& of,
            session_policy policy, session_kept kept, session_hooks hooks, std::uint64_t seed);
    ~session();
    session(session const&) = delete;
    session& operator=(session const&) = delete;

    /// Until canceled.
    awaitable<void> run();
    [[nodiscard]] login_state state() const;
    /// What a session_event tells; asked before each. Lives as long as this runs.
    void needed_by(std::function<std::optional<instant>()> when);

private:
    struct body;
    std::unique_ptr<body> body_;
};

/// Role and secret ID from the settings' files, whose role is the node's own. The role ID must be
/// there; a secret ID may be absent where the state holds one.
[[nodiscard]] result<session_files> read_session_files(approle_config const& settings);
[[nodiscard]] session_policy policy_for(approle_config const& settings, std::string const& node);
/// The settings with NODE replaced, as every other part of this folder wants them.
[[nodiscard]] vault_config for_node(vault_config settings, std::string const& node);

}  // namespace bevmesh::vault
