// A root and an intermediate that sign requests as Vault does, or worse.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/x509.h>

#include "certs/x509.hpp"

namespace bevmesh::test {

struct issue_options {
    long backdated = 30;
    long life = 3'600;
    std::string uses = "serverAuth,clientAuth";  // empty: none is named
    bool keep_names = true;
};

struct crl_options {
    long made = -60;  // seconds from now
    long ends = 3'600;
    long number = 1;
};

class issuer {
public:
    explicit issuer(std::string const& name = "test");

    /// With the chain and the bundle that peers check it with.
    [[nodiscard]] certs::granted sign(std::string const& request, issue_options how = {});
    /// The intermediate's CRL (PEM) with these serials, and the root's.
    [[nodiscard]] std::string crl(std::vector<std::string> const& serials, crl_options how = {});
    [[nodiscard]] std::string root_crl(std::vector<std::string> const& serials,
                                       crl_options how = {});
    [[nodiscard]] std::string const& root() const noexcept { return root_; }
    [[nodiscard]] std::string const& intermediate() const noexcept { return intermediate_; }

private:
    using key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using certificate = std::unique_ptr<X509, decltype(&X509_free)>;

    key root_key_;
    key key_;
    certificate root_certificate_;
    certificate certificate_;
    std::string root_;
    std::string intermediate_;
    long serial_ = 0xabcd00;
};

}  // namespace bevmesh::test
