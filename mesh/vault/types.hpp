// Vault's answers as far as bevmesh uses them. Pure; tested on answers of OpenBao 2.7, which speaks
// Vault's API. Names follow Vault's.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::vault {

/// Dates of certificates and tokens are the wall clock's.
using wall_time = std::chrono::sys_seconds;

/// A certificate signing request and what is asked for it. Role and mount are the configuration's.
struct sign_request {
    std::string csr;  // PEM; its key stays where it was made
    std::string common_name;
    std::vector<std::string> alt_names;  // DNS names
    std::vector<std::string> ip_sans;
    std::vector<std::string> uri_sans;
    seconds ttl{0};      // 0: the role's
    std::string issuer;  // ID or name; empty: the role's, which is the mount's default one
    std::string role;    // empty: the configuration's
};

struct signed_certificate {
    std::string certificate;         // PEM
    std::vector<std::string> chain;  // PEM each, nearest issuer first, roots included
    std::string issuing_ca;          // PEM
    std::string serial;              // "4f:0a:..."
    wall_time expires{};
    /// Vault grants less than it was asked for and says so here only: a shortened TTL, ignored
    /// names.
    std::vector<std::string> warnings;
};

/// What the name of an issuer begins with that nobody is to trust any more. A name is what of an
/// issuer can be changed, changed back, and seen without a token.
inline constexpr std::string_view retired_prefix = "retired-";

struct issuer_entry {
    std::string id;
    std::string name;         // empty: it has none
    std::string certificate;  // PEM

    friend bool operator==(issuer_entry const&, issuer_entry const&) = default;
};

/// GET MOUNT/issuer/REF: what only a token with the right sees.
struct issuer_details {
    std::string id;
    std::string name;
    std::string key_id;  // empty: its key is not in Vault
    std::string certificate;
    std::vector<std::string> ca_chain;
    std::string leaf_not_after_behavior;  // err, truncate, permit
    std::vector<std::string> usage;       // crl-signing, issuing-certificates, read-only, ...
    bool revoked = false;
};

/// A PKI role as Vault has it; the fields that decide what it will sign.
struct pki_role {
    std::vector<std::string> allowed_domains;
    std::vector<std::string> allowed_uri_sans;
    std::string issuer;
    std::string key_type;
    seconds ttl{0};
    seconds max_ttl{0};
    seconds not_before_duration{0};
    bool no_store = false;
    bool generate_lease = false;
    bool allow_bare_domains = false;
    bool allow_subdomains = false;
    bool allow_glob_domains = false;
    bool allow_any_name = false;
    bool allow_ip_sans = false;
    bool require_cn = true;
    bool server_flag = false;
    bool client_flag = false;
};

/// A version of a KV 2 secret. What is no string in it is its JSON.
struct kv_secret {
    std::map<std::string, secret> data;
    unsigned version = 0;
};

enum class node_state {
    active,
    standby,
    performance_standby,  // Vault Enterprise
    disaster_secondary,   // Vault Enterprise
    without_active,       // standby that knows no active node
    uninitialized,
    sealed,
    removed,  // from the cluster
    unknown,  // answered something else
};
[[nodiscard]] std::string_view name(node_state state) noexcept;

struct node_health {
    node_state state = node_state::unknown;
    std::string version;
    std::string cluster;      // its ID
    wall_time server_time{};  // to compare one's clock with; a whole second
};

/// One address of the configuration and what it says, or why it says nothing.
struct node_report {
    std::string address;
    result<node_health> health;
};

/// A token as a login or a renewal grants it.
struct granted_token {
    secret token;
    std::string accessor;
    seconds lease{0};  // 0: for ever
    bool renewable = false;
};

/// What Vault knows of a token that we had already.
struct token_facts {
    std::string accessor;
    std::string display_name;
    seconds left{0};
    seconds lease{0};  // what it had when it was made, or its period; 0: for ever
    bool renewable = false;
};

struct granted_secret_id {
    secret secret_id;
    seconds lease{0};  // 0: for ever
};

struct secret_id_facts {
    seconds lease{0};                  // 0: for ever
    std::optional<wall_time> expires;  // absent: never
    unsigned uses = 0;                 // 0: any number
};

/// Vault's word that a certificate is on the next CRL.
struct revocation {
    std::string serial;
    wall_time at{};
};

}  // namespace bevmesh::vault
