// What the files of one generation of a service are: its pair, the bundle, and the CRLs.
//
// cert.pem (chain behind it), key.pem, combined.pem (key and chain), ca.pem; crl.pem where the
// service reads one, keystore.p12 where there is a password for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certs/store.hpp"
#include "certs/x509.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::certs {

namespace file_names {
inline constexpr std::string_view certificate = "cert.pem";
inline constexpr std::string_view key = "key.pem";
inline constexpr std::string_view trusted = "ca.pem";
inline constexpr std::string_view crls = "crl.pem";
}  // namespace file_names

struct material {
    private_key key;
    granted got;
    std::string crls = {};  // PEM one after the other; empty: there is no such file
};

struct key_form {
    mode_t mode = 0640;
    bool traditional = false;  // instead of PKCS#8
    secret pkcs12_password;    // empty: there is no keystore.p12
};

/// In the order in which `flat` puts them in place: a CA is trusted when its CRL is there, and a
/// certificate before it is shown.
[[nodiscard]] result<std::vector<stored_file>> files_of(material const& m, key_form const& how);

/// As it was written; its bundle is left out.
[[nodiscard]] result<material> read_material(std::vector<stored_file> const& files);

/// Null: there is none.
[[nodiscard]] secret const* find_file(std::vector<stored_file> const& files, std::string_view name);
[[nodiscard]] failure missing_file();
/// Without its chain; empty: there is none.
[[nodiscard]] std::string certificate_in(std::vector<stored_file> const& files);

}  // namespace bevmesh::certs
