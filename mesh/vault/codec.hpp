// Vault's JSON to values and back. Pure: tested on answers recorded from OpenBao 2.7.
//
// Every decode is errc::bad_answer when the document is not what Vault documents; fields that
// bevmesh does not read may be anything. Secrets go from the document into a `secret` and nowhere
// else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/vault/types.hpp"

namespace bevmesh::vault {

[[nodiscard]] std::string encode_sign(sign_request const& wanted);
[[nodiscard]] result<signed_certificate> decode_signed(std::string_view document);

/// IDs and names of LIST MOUNT/issuers; the certificates come one by one.
[[nodiscard]] result<std::vector<issuer_entry>> decode_issuers(std::string_view document);
[[nodiscard]] result<issuer_details> decode_issuer(std::string_view document);
/// Of GET MOUNT/config/issuers; empty: there is none.
[[nodiscard]] result<std::string> decode_default_issuer(std::string_view document);
[[nodiscard]] result<pki_role> decode_role(std::string_view document);
[[nodiscard]] result<revocation> decode_revocation(std::string_view document);

/// A new root: its issuer's ID.
[[nodiscard]] result<std::string> decode_new_root(std::string_view document);
/// The signing request of a new intermediate, PEM.
[[nodiscard]] result<std::string> decode_csr(std::string_view document);
struct certificate_and_ca {
    std::string certificate;
    std::string issuing_ca;
};
[[nodiscard]] result<certificate_and_ca> decode_signed_intermediate(std::string_view document);
/// Of set-signed: the ID of the issuer that has a key; of those imported before, too.
[[nodiscard]] result<std::string> decode_imported(std::string_view document);

[[nodiscard]] result<kv_secret> decode_kv(std::string_view document);
/// `status` counts: a standby and an active server may send the same document.
[[nodiscard]] result<node_health> decode_health(unsigned status, std::string_view document);

/// Of login and renew-self.
[[nodiscard]] result<granted_token> decode_token(std::string_view document);
[[nodiscard]] result<token_facts> decode_token_facts(std::string_view document);
/// Of making a secret ID, and of unwrapping one.
[[nodiscard]] result<granted_secret_id> decode_secret_id(std::string_view document);
[[nodiscard]] result<secret_id_facts> decode_secret_id_facts(std::string_view document);
[[nodiscard]] result<std::string> decode_creation_path(std::string_view document);
/// A wrapping token.
[[nodiscard]] result<secret> decode_wrapped(std::string_view document);

}  // namespace bevmesh::vault
