// Vault's (or OpenBao's) HTTP API, as far as bevmesh needs it.
//
// Every address of the configuration is tried before a call fails, each at most once a call; a
// server that is sealed, has no leader, or points at a leader that is dead is only one of them. A
// call never waits and tries again: when to do that is its caller's to decide (is_transient()), and
// so is to ask for another certificate. A token goes to configured addresses only, over TLS that is
// verified; there is no switch for less.
// Failures name method, path, peer and what Vault said: bad_input is 400 (and the request can be
// repeated in vain), forbidden 403, not_found 404; remote_error, unreachable, timed_out and
// truncated may be gone at the next try.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/net/http.hpp"
#include "mesh/vault/types.hpp"

namespace bevmesh::vault {

using net::awaitable;

/// Vault is away or overloaded: the same request may do later. False: somebody must change
/// something first.
[[nodiscard]] bool is_transient(failure const& f) noexcept;

/// What a node's daemon needs; its policy allows this and no more (config/vault/node-policy.hcl).
class client {
public:
    virtual ~client() = default;

    // Needs a token; see session.hpp, which keeps one.

    /// POST MOUNT/sign/ROLE (with `issuer`: MOUNT/issuer/ISSUER/sign/ROLE). Look at `warnings`.
    virtual awaitable<result<signed_certificate>> sign(sign_request wanted) = 0;
    virtual awaitable<result<pki_role>> role() = 0;
    /// MOUNT as in "bev", path as in "database"; not_found also for a deleted version.
    virtual awaitable<result<kv_secret>> read_secret(std::string mount, std::string path) = 0;

    // Without a token.

    /// Every issuer of the mount and of the root mount that is not retired, roots among them, each
    /// once: the trust bundle is made of these, because MOUNT/ca_chain has the default issuer's
    /// chain only.
    virtual awaitable<result<std::vector<issuer_entry>>> issuers() = 0;
    /// The CRLs of all issuers() that have one, as PEM one after the other: a server that checks a
    /// chain wants the CRL of each CA in it.
    virtual awaitable<result<std::string>> crls() = 0;
    /// One report an address, in the configuration's order; asked side by side.
    virtual awaitable<std::vector<node_report>> health() = 0;

    /// Requests under way keep the token they have. Empty: none.
    virtual void set_token(secret token) = 0;
    /// Asked when most servers do not know the token that a call had: true once there is another,
    /// with which the call is then made once more. Gets the one that they refuse.
    virtual void on_unknown_token(std::function<awaitable<bool>(secret)> mend) = 0;
    [[nodiscard]] virtual bool has_token() const noexcept = 0;
};

/// What an operator needs to roll a CA over or to revoke: with a token of the policy
/// bevmesh-ca-operator or an admin's, never a node's.
class authority {
public:
    virtual ~authority() = default;

    // Of a mount of the configuration: pki.mount, pki.root_mount.

    /// All of them, retired ones too.
    virtual awaitable<result<std::vector<issuer_details>>> issuers(std::string mount) = 0;
    /// The ID of the mount's default issuer; empty: none yet.
    virtual awaitable<result<std::string>> default_issuer(std::string mount) = 0;
    virtual awaitable<result<void>> set_default_issuer(std::string mount, std::string ref) = 0;
    /// Out of the bundle, by its name (retired_prefix), and back in.
    virtual awaitable<result<void>> retire_issuer(std::string mount, std::string ref) = 0;
    virtual awaitable<result<void>> restore_issuer(std::string mount, std::string ref) = 0;
    /// Its key stays in Vault.
    virtual awaitable<result<void>> delete_issuer(std::string mount, std::string ref) = 0;

    /// A new root of the root mount, beside the others; does not become the default.
    virtual awaitable<result<issuer_details>> rotate_root(std::string common_name, std::string name,
                                                          seconds ttl) = 0;
    /// A new intermediate of the mount, signed by the root mount's issuer `root` (empty: its
    /// default); does not become the default unless it is the first.
    virtual awaitable<result<issuer_details>> new_intermediate(std::string common_name,
                                                               std::string name, std::string root,
                                                               seconds ttl) = 0;
    /// By certificate (PEM), which is the only way where the role stores none.
    virtual awaitable<result<revocation>> revoke(std::string certificate) = 0;
    virtual awaitable<result<revocation>> revoke_serial(std::string serial) = 0;

    virtual void set_token(secret token) = 0;
};

/// `node`: whose address, when it is one of the configuration's, is asked first; else they are
/// asked in an order of the node's own, so that nodes spread over them.
[[nodiscard]] result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                                          vault_config const& settings,
                                                          node_config const& node);
[[nodiscard]] result<std::unique_ptr<authority>> make_authority(
    boost::asio::any_io_executor executor, vault_config const& settings, secret token);

}  // namespace bevmesh::vault
