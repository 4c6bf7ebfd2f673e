// Keys, requests and granted certificates: what OpenSSL knows, as values.
//
// A key is made here and leaves only as a file of its service; what goes to Vault is the request.
// What Vault grants is checked before a byte of it is written, because Vault grants less than it
// was asked for without failing: names are dropped and lives cut with a warning in a 200.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "certs/life.hpp"
#include "certs/subject.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::certs {

class private_key {
public:
    /// EC P-256, of the system's random numbers.
    [[nodiscard]] static result<private_key> make();
    /// Of a PEM in either of the ways below.
    [[nodiscard]] static result<private_key> read(secret const& pem);

    /// A signing request (PEM) with the subject's names.
    [[nodiscard]] result<std::string> request(subject const& of) const;
    [[nodiscard]] secret pkcs8() const;        // PEM
    [[nodiscard]] secret traditional() const;  // PEM, "EC PRIVATE KEY": what old programs read
    /// With the certificate and its chain (PEM each).
    [[nodiscard]] result<secret> pkcs12(std::string const& certificate,
                                        std::vector<std::string> const& chain,
                                        secret const& password) const;
    [[nodiscard]] EVP_PKEY* native() const noexcept { return key_.get(); }

private:
    explicit private_key(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
    std::shared_ptr<EVP_PKEY> key_;
};

struct granted {
    std::string certificate;           // PEM
    std::vector<std::string> chain;    // PEM each, nearest issuer first
    std::vector<std::string> trusted;  // PEM each: the bundle that peers check it with
};

/// What is wrong with it, or the leaf that it is, with its issuer and its bundle's hash: the key's,
/// of a chain to the bundle, with each name that was wanted, for servers and clients, valid now,
/// and for at least half of `life`.
[[nodiscard]] result<leaf> check(granted const& got, private_key const& key, subject const& wanted,
                                 seconds life, wall_time now);

/// The certificates of a text (PEM each), in its order; or what has another label.
[[nodiscard]] std::vector<std::string> split_pem(std::string_view text,
                                                 std::string_view label = "CERTIFICATE");

/// Of a certificate (PEM); its generation is 0.
[[nodiscard]] result<leaf> read_leaf(std::string const& certificate);
/// The same of one that a peer showed.
[[nodiscard]] leaf read_leaf(X509* certificate);
/// As leaf has it.
[[nodiscard]] std::string serial_text(ASN1_INTEGER const* serial);
/// The name of its subject; empty: it has none, or is no certificate.
[[nodiscard]] std::string common_name_of(std::string const& certificate);
/// Signed by itself: what peers have, and need not be sent.
[[nodiscard]] bool is_root(std::string const& certificate);
/// SHA-256 over the certificates (DER), sorted: two bundles that trust the same have the same.
[[nodiscard]] result<std::string> bundle_hash(std::vector<std::string> const& certificates);
/// Lower case, without separators.
[[nodiscard]] std::string hexadecimal(std::span<unsigned char const> bytes);

}  // namespace bevmesh::certs
