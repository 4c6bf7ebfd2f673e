// Keys and certificates made during the test, in a directory that goes with the object.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openssl/x509.h>

namespace bevmesh::testing {

struct issued {
    std::string cert_file;
    std::string key_file;
};

/// A certificate authority of its own.
class authority {
public:
    explicit authority(std::string const& name = "test authority");
    /// An intermediate: its certificate follows those that it issues, and its `ca_file()` is that
    /// of `above`, which must outlive it.
    authority(std::string const& name, authority& above);
    ~authority();
    authority(authority const&) = delete;
    authority& operator=(authority const&) = delete;

    [[nodiscard]] std::string const& ca_file() const noexcept { return ca_file_; }
    /// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Valid for `valid_seconds` from
    /// an hour ago: below 3600 it has expired.
    [[nodiscard]] issued issue(std::string const& names, long valid_seconds = 86'400);
    /// Its own certificate, without a key.
    [[nodiscard]] issued itself() const;
    /// A file with a CRL that has these, made an hour ago; below 3600 it has ended.
    [[nodiscard]] std::string revoke(std::vector<issued> const& all, long valid_seconds = 86'400);

private:
    std::filesystem::path directory_;
    std::string ca_file_;
    std::unique_ptr<X509, decltype(&X509_free)> certificate_;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
    int serial_ = 1;
    bool is_root_ = true;
};

}  // namespace bevmesh::testing
