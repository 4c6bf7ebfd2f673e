#include "certs/crl.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "certs/openssl_handles.hpp"
#include "certs/x509.hpp"

namespace bevmesh::certs {
namespace {

using x509_crl = std::unique_ptr<X509_CRL, freed<X509_CRL, X509_CRL_free>>;

failure wrong(std::string why) {
    ERR_clear_error();
    return {errc::bad_answer, "read a CRL: " + std::move(why)};
}

bio reader_of(std::string const& pem) {
    return bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::int64_t number_of(X509_CRL* of) {
    auto* const number =
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(of, NID_crl_number, nullptr, nullptr));
    std::int64_t value = 0;
    if (number == nullptr || ASN1_INTEGER_get_int64(&value, number) != 1) value = 0;
    ASN1_INTEGER_free(number);
    return value;
}

std::vector<std::string> revoked_by(X509_CRL* of) {
    std::vector<std::string> serials;
    auto* const entries = X509_CRL_get_REVOKED(of);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i)
        serials.push_back(
            serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
    return serials;
}

bool is_newer(crl const& one, crl const& than) {
    return std::pair(one.made, one.number) > std::pair(than.made, than.number);
}

std::optional<crl> newest_of(std::vector<std::string> const& seen, std::string const& ca,
                             wall_time now) {
    std::optional<crl> newest;
    for (auto const& pem : seen) {
        auto one = read_crl(pem, ca);
        if (one.has_error() || one->made > now) continue;
        if (!newest || is_newer(*one, *newest)) newest = std::move(*one);
    }
    return newest;
}

}  // namespace

result<crl> read_crl(std::string const& pem, std::string const& ca) {
    auto const from = reader_of(pem);
    x509_crl const list(from ? PEM_read_bio_X509_CRL(from.get(), nullptr, nullptr, nullptr)
                             : nullptr);
    if (!list) return wrong("it is no PEM CRL");
    auto const by = reader_of(ca);
    x509 const issuer(by ? PEM_read_bio_X509(by.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!issuer) return wrong("its CA is no PEM certificate");
    if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(issuer.get())) != 0 ||
        X509_CRL_verify(list.get(), X509_get0_pubkey(issuer.get())) != 1)
        return wrong("it is not signed by " + common_name_of(ca));
    crl made;
    made.pem = pem.ends_with('\n') ? pem : pem + "\n";
    made.issuer = common_name_of(ca);
    made.made = time_of(X509_CRL_get0_lastUpdate(list.get()));
    made.ends = time_of(X509_CRL_get0_nextUpdate(list.get()));
    made.number = number_of(list.get());
    made.revoked = revoked_by(list.get());
    return made;
}

std::vector<std::string> split_crls(std::string_view text) {
    return split_pem(text, "X509 CRL");
}

std::string crl_hash(std::string_view text) {
    if (text.empty()) return {};
    std::array<unsigned char, 32> sum{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_sha256(), nullptr) != 1)
        return {};
    return hexadecimal(sum);
}

void crl_view::take(std::string_view seen, std::vector<std::string> const& bundle, wall_time now) {
    auto const each = split_crls(seen);
    std::map<std::string, crl> next;
    without_.clear();
    for (auto const& ca : bundle) {
        auto newest = newest_of(each, ca, now);
        auto const before = of_ca_.find(ca);
        if (before != of_ca_.end() && (!newest || !is_newer(*newest, before->second)))
            newest = before->second;
        if (newest)
            next.insert_or_assign(ca, std::move(*newest));
        else
            without_.push_back(common_name_of(ca));
    }
    of_ca_ = std::move(next);
}

std::string crl_view::text() const {
    // CAs that share a key share a CRL.
    std::set<std::string> each;
    for (auto const& [_, one] : of_ca_)
        each.insert(one.pem);
    std::string whole;
    for (auto const& pem : each)
        whole += pem;
    return whole;
}

std::vector<crl> crl_view::all() const {
    std::vector<crl> each;
    for (auto const& [_, one] : of_ca_)
        each.push_back(one);
    return each;
}

bool crl_view::lists(std::string_view serial) const {
    return std::ranges::any_of(of_ca_, [serial](auto const& of) {
        auto const& revoked = of.second.revoked;
        return std::ranges::find(revoked, serial) != revoked.end();
    });
}

std::string crl_view::problem(wall_time now) const {
    if (!without_.empty()) return "there is no CRL of " + without_.front();
    for (auto const& [_, one] : of_ca_)
        if (one.ends <= now) return "the CRL of " + one.issuer + " has ended";
    return of_ca_.empty() ? "there is no CRL" : "";
}

}  // namespace bevmesh::certs
