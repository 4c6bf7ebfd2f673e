#include "tests/certs/issuer.hpp"

#include <ctime>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace bevmesh::test {
namespace {

void must(bool good, char const* what) {
    if (!good) throw std::runtime_error(what);
}

void extend(X509* cert, X509* by, int what, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, by, cert, nullptr, nullptr, 0);
    auto* const made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    must(made != nullptr && X509_add_ext(cert, made, -1) == 1, "add an extension");
    X509_EXTENSION_free(made);
}

X509* begin(std::string const& name, long serial, EVP_PKEY* key, long from, long to) {
    auto* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
    std::time_t now = std::time(nullptr);
    X509_time_adj(X509_getm_notBefore(made), from, &now);
    X509_time_adj(X509_getm_notAfter(made), to, &now);
    std::basic_string<unsigned char> const text(name.begin(), name.end());
    X509_NAME_add_entry_by_NID(X509_get_subject_name(made), NID_commonName, MBSTRING_UTF8,
                               text.c_str(), -1, -1, 0);
    must(X509_set_pubkey(made, key) == 1, "set the public key");
    return made;
}

std::string pem(X509* of) {
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const to(BIO_new(BIO_s_mem()), &BIO_free_all);
    must(PEM_write_bio_X509(to.get(), of) == 1, "write a certificate");
    char* data = nullptr;
    auto const size = BIO_get_mem_data(to.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

void copy_names(X509_REQ* from, X509* to) {
    auto* const all = X509_REQ_get_extensions(from);
    for (int i = 0; i < sk_X509_EXTENSION_num(all); ++i)
        must(X509_add_ext(to, sk_X509_EXTENSION_value(all, i), -1) == 1, "copy an extension");
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}

void add_revoked(X509_CRL* to, std::string const& serial) {
    BIGNUM* number = nullptr;
    must(BN_hex2bn(&number, serial.c_str()) > 0, "read a serial");
    auto* const asn1 = BN_to_ASN1_INTEGER(number, nullptr);
    auto* const entry = X509_REVOKED_new();
    std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> const at(X509_gmtime_adj(nullptr, -60),
                                                                   &ASN1_TIME_free);
    must(X509_REVOKED_set_serialNumber(entry, asn1) == 1, "set a serial");
    must(X509_REVOKED_set_revocationDate(entry, at.get()) == 1, "set a date");
    must(X509_CRL_add0_revoked(to, entry) == 1, "revoke");
    ASN1_INTEGER_free(asn1);
    BN_free(number);
}

std::string make_crl(X509* by, EVP_PKEY* key, std::vector<std::string> const& serials,
                     crl_options const& how) {
    using time = std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)>;
    std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> const made(X509_CRL_new(), &X509_CRL_free);
    std::time_t now = std::time(nullptr);
    time const from(X509_time_adj(nullptr, how.made, &now), &ASN1_TIME_free);
    time const to(X509_time_adj(nullptr, how.ends, &now), &ASN1_TIME_free);
    std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> const number(ASN1_INTEGER_new(),
                                                                             &ASN1_INTEGER_free);
    ASN1_INTEGER_set(number.get(), how.number);
    X509_CRL_set_version(made.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(made.get(), X509_get_subject_name(by));
    X509_CRL_set1_lastUpdate(made.get(), from.get());
    X509_CRL_set1_nextUpdate(made.get(), to.get());
    must(X509_CRL_add1_ext_i2d(made.get(), NID_crl_number, number.get(), 0, 0) == 1, "number");
    for (auto const& serial : serials)
        add_revoked(made.get(), serial);
    X509_CRL_sort(made.get());
    must(X509_CRL_sign(made.get(), key, EVP_sha256()) > 0, "sign");
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const text(BIO_new(BIO_s_mem()), &BIO_free_all);
    must(PEM_write_bio_X509_CRL(text.get(), made.get()) == 1, "write a CRL");
    char* data = nullptr;
    auto const size = BIO_get_mem_data(text.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string common_name(X509_REQ* of) {
    char text[256] = {};
    X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(of), NID_commonName, text, sizeof text);
    return text;
}

}  // namespace

issuer::issuer(std::string const& name)
    : root_key_(EVP_EC_gen("P-256"), &EVP_PKEY_free),
      key_(EVP_EC_gen("P-256"), &EVP_PKEY_free),
      root_certificate_(begin(name + " root", 1, root_key_.get(), -3'600, 864'000), &X509_free),
      certificate_(begin(name + " intermediate", 2, key_.get(), -3'600, 864'000), &X509_free) {
    auto* const root = root_certificate_.get();
    X509_set_issuer_name(root, X509_get_subject_name(root));
    extend(root, root, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(root, root_key_.get(), EVP_sha256()) > 0, "sign");
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(root));
    extend(certificate_.get(), root, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(certificate_.get(), root_key_.get(), EVP_sha256()) > 0, "sign");
    root_ = pem(root);
    intermediate_ = pem(certificate_.get());
}

certs::granted issuer::sign(std::string const& request, issue_options how) {
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const from(
        BIO_new_mem_buf(request.data(), static_cast<int>(request.size())), &BIO_free_all);
    std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> const wanted(
        PEM_read_bio_X509_REQ(from.get(), nullptr, nullptr, nullptr), &X509_REQ_free);
    must(wanted != nullptr, "read a request");
    auto* const asking = X509_REQ_get0_pubkey(wanted.get());
    must(X509_REQ_verify(wanted.get(), asking) == 1, "verify a request");
    certificate const made(
        begin(common_name(wanted.get()), ++serial_, asking, -how.backdated, how.life), &X509_free);
    X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    if (how.keep_names) copy_names(wanted.get(), made.get());
    if (!how.uses.empty()) extend(made.get(), certificate_.get(), NID_ext_key_usage, how.uses);
    must(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0, "sign");
    return {pem(made.get()), {intermediate_}, {root_}};
}

std::string issuer::crl(std::vector<std::string> const& serials, crl_options how) {
    return make_crl(certificate_.get(), key_.get(), serials, how);
}

std::string issuer::root_crl(std::vector<std::string> const& serials, crl_options how) {
    return make_crl(root_certificate_.get(), root_key_.get(), serials, how);
}

}  // namespace bevmesh::test
