#include "tests/mesh/certificates.hpp"

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace bevmesh::testing {

namespace {

using certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using private_key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

void must(bool good, char const* what) {
    if (!good) throw std::runtime_error(what);
}

private_key make_key() {
    private_key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    must(key != nullptr, "make a key");
    return key;
}

void add_extension(X509* cert, X509* issuer, int what, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(
        X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()), &X509_EXTENSION_free);
    must(extension != nullptr, "make an extension");
    must(X509_add_ext(cert, extension.get(), -1) == 1, "add an extension");
}

certificate begin_certificate(std::string const& name, int serial, EVP_PKEY* key, long valid) {
    certificate cert(X509_new(), &X509_free);
    X509_set_version(cert.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), valid - 3'600);
    auto const text = std::basic_string<unsigned char>(name.begin(), name.end());
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert.get()), NID_commonName, MBSTRING_UTF8,
                               text.c_str(), -1, -1, 0);
    must(X509_set_pubkey(cert.get(), key) == 1, "set the public key");
    return cert;
}

template <class Write>
void to_file(std::string const& path, Write write) {
    std::unique_ptr<FILE, int (*)(FILE*)> const file(std::fopen(path.c_str(), "w"), &std::fclose);
    must(file != nullptr, "open a file");
    must(write(file.get()) == 1, "write a file");
}

std::filesystem::path make_directory() {
    auto path = (std::filesystem::temp_directory_path() / "bevmesh-test-XXXXXX").string();
    must(::mkdtemp(path.data()) != nullptr, "make a directory");
    return path;
}

void sign_authority(X509* cert, X509* issuer, EVP_PKEY* by) {
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(cert, by, EVP_sha256()) > 0, "sign");
}

}  // namespace

authority::authority(std::string const& name)
    : certificate_(nullptr, &X509_free), key_(make_key()) {
    directory_ = make_directory();
    certificate_ = begin_certificate(name, serial_, key_.get(), 86'400);
    sign_authority(certificate_.get(), certificate_.get(), key_.get());
    ca_file_ = directory_ / "ca.pem";
    to_file(ca_file_, [&](FILE* f) { return PEM_write_X509(f, certificate_.get()); });
}

authority::authority(std::string const& name, authority& above)
    : ca_file_(above.ca_file_),
      certificate_(nullptr, &X509_free),
      key_(make_key()),
      is_root_(false) {
    directory_ = make_directory();
    certificate_ = begin_certificate(name, ++above.serial_, key_.get(), 86'400);
    sign_authority(certificate_.get(), above.certificate_.get(), above.key_.get());
}

authority::~authority() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

issued authority::issue(std::string const& names, long valid_seconds) {
    auto const key = make_key();
    auto const cert = begin_certificate("test", ++serial_, key.get(), valid_seconds);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(certificate_.get()));
    add_extension(cert.get(), certificate_.get(), NID_subject_alt_name, names);
    must(X509_sign(cert.get(), key_.get(), EVP_sha256()) > 0, "sign");
    issued files;
    files.cert_file = directory_ / (std::to_string(serial_) + ".pem");
    files.key_file = directory_ / (std::to_string(serial_) + ".key");
    to_file(files.cert_file, [&](FILE* f) {
        bool const good = PEM_write_X509(f, cert.get()) == 1 &&
                          (is_root_ || PEM_write_X509(f, certificate_.get()) == 1);
        return good ? 1 : 0;
    });
    // Closed to others before there is anything in it.
    std::ofstream(files.key_file).close();
    std::filesystem::permissions(
        files.key_file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    to_file(files.key_file, [&](FILE* f) {
        return PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    return files;
}

issued authority::itself() const {
    issued files;
    files.cert_file = directory_ / "itself.pem";
    to_file(files.cert_file, [&](FILE* f) { return PEM_write_X509(f, certificate_.get()); });
    return files;
}

std::string authority::revoke(std::vector<issued> const& all, long valid_seconds) {
    using time = std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)>;
    std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> const made(X509_CRL_new(), &X509_CRL_free);
    time const from(X509_gmtime_adj(nullptr, -3'600), &ASN1_TIME_free);
    time const to(X509_gmtime_adj(nullptr, valid_seconds - 3'600), &ASN1_TIME_free);
    X509_CRL_set_version(made.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    X509_CRL_set1_lastUpdate(made.get(), from.get());
    X509_CRL_set1_nextUpdate(made.get(), to.get());
    for (auto const& one : all) {
        std::unique_ptr<FILE, int (*)(FILE*)> const file(std::fopen(one.cert_file.c_str(), "r"),
                                                         &std::fclose);
        must(file != nullptr, "open a certificate");
        certificate const cert(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
        must(cert != nullptr, "read a certificate");
        auto* const entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert.get()));
        X509_REVOKED_set_revocationDate(entry, from.get());
        must(X509_CRL_add0_revoked(made.get(), entry) == 1, "revoke");
    }
    X509_CRL_sort(made.get());
    must(X509_CRL_sign(made.get(), key_.get(), EVP_sha256()) > 0, "sign");
    std::string path = directory_ / (std::to_string(++serial_) + ".crl");
    to_file(path, [&](FILE* f) { return PEM_write_X509_CRL(f, made.get()); });
    return path;
}

}  // namespace bevmesh::testing
