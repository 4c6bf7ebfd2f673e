#include "certs/x509.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "certs/openssl_handles.hpp"

namespace bevmesh::certs {
namespace {

using x509_request = std::unique_ptr<X509_REQ, freed<X509_REQ, X509_REQ_free>>;
using x509_store = std::unique_ptr<X509_STORE, freed<X509_STORE, X509_STORE_free>>;
using x509_verifying = std::unique_ptr<X509_STORE_CTX, freed<X509_STORE_CTX, X509_STORE_CTX_free>>;
using extension = std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION, X509_EXTENSION_free>>;
using pkcs12_bag = std::unique_ptr<PKCS12, freed<PKCS12, PKCS12_free>>;

struct free_stack {
    void operator()(STACK_OF(X509) * s) const { sk_X509_pop_free(s, X509_free); }
};
using x509_stack = std::unique_ptr<STACK_OF(X509), free_stack>;
struct free_extensions {
    void operator()(STACK_OF(X509_EXTENSION) * s) const {
        sk_X509_EXTENSION_pop_free(s, X509_EXTENSION_free);
    }
};
using extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), free_extensions>;

failure wrong(std::string doing, errc code = errc::bad_answer) {
    ERR_clear_error();
    return {code, std::move(doing)};
}

failure no_memory(std::string const& doing) {
    return wrong(doing + ": OpenSSL refuses", errc::local_error);
}

std::string text_of(BIO* from) {
    char* data = nullptr;
    auto const size = BIO_get_mem_data(from, &data);
    return {data, static_cast<std::size_t>(size)};
}

/// The buffer is wiped when it is freed.
bio secret_buffer() {
    return bio(BIO_new(BIO_s_secmem()));
}

/// The certificates that were read last. A mesh has a few CAs, and each is read for every leaf:
/// without this that was a third of all that issuing cost (perf, OpenSSL 3.0: it looks a decoder up
/// for every public key).
class recent_certificates {
public:
    x509 find(std::string const& pem) {
        std::scoped_lock const one_at_a_time(mutex_);
        auto const found = std::ranges::find(all_, pem, &entry::pem);
        if (found == all_.end()) return {};
        std::rotate(all_.begin(), found, found + 1);
        return share(all_.front().is);
    }

    void keep(std::string const& pem, x509 const& is) {
        std::scoped_lock const one_at_a_time(mutex_);
        if (all_.size() == most) all_.pop_back();
        all_.insert(all_.begin(), {pem, share(is)});
    }

private:
    static constexpr std::size_t most = 16;
    struct entry {
        std::string pem;
        x509 is;
    };

    /// Nobody changes one that was read.
    static x509 share(x509 const& of) {
        X509_up_ref(of.get());
        return x509(of.get());
    }

    std::mutex mutex_;
    std::vector<entry> all_;  // used last first
};

result<x509> parse(std::string const& pem) {
    static recent_certificates recent;
    if (auto known = recent.find(pem)) return known;
    bio const from(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    x509 made(from ? PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!made) return wrong("read a certificate: it is no PEM certificate");
    recent.keep(pem, made);
    return made;
}

result<x509_stack> parse_all(std::vector<std::string> const& pems) {
    x509_stack all(sk_X509_new_null());
    for (auto const& pem : pems) {
        auto one = parse(pem);
        if (one.has_error()) return one.error();
        if (sk_X509_push(all.get(), one->get()) <= 0) return no_memory("read a chain");
        static_cast<void>(one->release());
    }
    return all;
}

/// As OpenSSL's configuration writes it: no name may begin another entry.
result<std::string> alternative_names(subject const& of) {
    std::string text;
    auto const add = [&text](char const* kind, std::vector<std::string> const& names) {
        for (auto const& each : names) {
            if (each.empty() || each.find_first_of(",\n\r ") != std::string::npos) return false;
            text += (text.empty() ? "" : ",") + std::string(kind) + each;
        }
        return true;
    };
    if (add("DNS:", of.dns) && add("IP:", of.ips) && add("URI:", of.uris)) return text;
    return wrong("make a certificate request: a name of it is none", errc::bad_input);
}

bool add_names(X509_REQ* to, std::string const& names) {
    extensions all(sk_X509_EXTENSION_new_null());
    extension one(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    if (!one || sk_X509_EXTENSION_push(all.get(), one.get()) <= 0) return false;
    static_cast<void>(one.release());
    return X509_REQ_add_extensions(to, all.get()) == 1;
}

bool set_common_name(X509_REQ* of, std::string const& name) {
    if (name.empty()) return true;
    std::basic_string<unsigned char> const bytes(name.begin(), name.end());
    return X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(of), NID_commonName, MBSTRING_UTF8,
                                      bytes.c_str(), static_cast<int>(bytes.size()), -1, 0) == 1;
}

bool has_uri(X509* of, std::string const& wanted) {
    auto* const names =
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(of, NID_subject_alt_name, nullptr, nullptr));
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        auto const* const one = sk_GENERAL_NAME_value(names, i);
        if (one->type != GEN_URI) continue;
        auto const* const uri = one->d.uniformResourceIdentifier;
        auto const* const data = ASN1_STRING_get0_data(uri);
        auto const size = static_cast<std::size_t>(ASN1_STRING_length(uri));
        found = found || std::equal(wanted.begin(), wanted.end(), data, data + size);
    }
    GENERAL_NAMES_free(names);
    return found;
}

/// The first name that was wanted and is not there; empty: none.
std::string missing_name(X509* in, subject const& wanted) {
    for (auto const& each : wanted.dns)
        if (X509_check_host(in, each.data(), each.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                            nullptr) != 1)
            return each;
    for (auto const& each : wanted.ips)
        if (X509_check_ip_asc(in, each.c_str(), 0) != 1) return each;
    for (auto const& each : wanted.uris)
        if (!has_uri(in, each)) return each;
    return {};
}

std::optional<std::string> common_name(X509* in) {
    std::array<char, 256> name{};
    auto const size = X509_NAME_get_text_by_NID(X509_get_subject_name(in), NID_commonName,
                                                name.data(), static_cast<int>(name.size()));
    if (size < 0) return std::nullopt;
    return std::string(name.data(), static_cast<std::size_t>(size));
}

/// Why peers that have the bundle refuse it; empty: they accept it.
std::string chain_problem(X509* of, STACK_OF(X509) * chain, STACK_OF(X509) * trusted,
                          wall_time now) {
    x509_store const store(X509_STORE_new());
    for (int i = 0; i < sk_X509_num(trusted); ++i)
        X509_STORE_add_cert(store.get(), sk_X509_value(trusted, i));
    for (auto const& [purpose, word] : {std::pair(X509_PURPOSE_SSL_SERVER, "server"),
                                        std::pair(X509_PURPOSE_SSL_CLIENT, "client")}) {
        x509_verifying const check(X509_STORE_CTX_new());
        if (!check || X509_STORE_CTX_init(check.get(), store.get(), of, chain) != 1)
            return "cannot be checked";
        X509_STORE_CTX_set_purpose(check.get(), purpose);
        X509_STORE_CTX_set_time(check.get(), 0, now.time_since_epoch().count());
        if (X509_verify_cert(check.get()) == 1) continue;
        return std::string("is not accepted as a ") + word +
               "'s: " + X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
    }
    return {};
}

/// Without the extension any use is allowed; a mesh's certificate says what it is for.
bool is_for_both(X509* of) {
    auto const uses = X509_get_extended_key_usage(of);
    return uses != UINT32_MAX && (uses & XKU_SSL_SERVER) != 0 && (uses & XKU_SSL_CLIENT) != 0;
}

secret key_text(EVP_PKEY* key, int (*write)(BIO*, EVP_PKEY*)) {
    auto const to = secret_buffer();
    if (!to || write(to.get(), key) != 1) return {};
    return secret(text_of(to.get()));
}

}  // namespace

result<private_key> private_key::make() {
    std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    if (!key) return no_memory("make a key");
    return private_key(std::move(key));
}

result<private_key> private_key::read(secret const& pem) {
    auto const text = pem.reveal();
    bio const from(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    std::shared_ptr<EVP_PKEY> key(
        from ? PEM_read_bio_PrivateKey(from.get(), nullptr, nullptr, nullptr) : nullptr,
        &EVP_PKEY_free);
    if (!key) return wrong("read a key: it is no PEM key", errc::local_error);
    return private_key(std::move(key));
}

result<std::string> private_key::request(subject const& of) const {
    auto const names = alternative_names(of);
    if (names.has_error()) return names.error();
    x509_request const made(X509_REQ_new());
    bio const to(BIO_new(BIO_s_mem()));
    bool const good = made && to && set_common_name(made.get(), of.common_name) &&
                      (names->empty() || add_names(made.get(), *names)) &&
                      X509_REQ_set_pubkey(made.get(), key_.get()) == 1 &&
                      X509_REQ_sign(made.get(), key_.get(), EVP_sha256()) > 0 &&
                      PEM_write_bio_X509_REQ(to.get(), made.get()) == 1;
    if (!good)
        return wrong("make a certificate request for " + of.common_name + ": OpenSSL refuses it",
                     errc::bad_input);
    return text_of(to.get());
}

secret private_key::pkcs8() const {
    return key_text(key_.get(), [](BIO* to, EVP_PKEY* key) {
        return PEM_write_bio_PKCS8PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

secret private_key::traditional() const {
    return key_text(key_.get(), [](BIO* to, EVP_PKEY* key) {
        return PEM_write_bio_PrivateKey_traditional(to, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

result<secret> private_key::pkcs12(std::string const& certificate,
                                   std::vector<std::string> const& chain,
                                   secret const& password) const {
    auto const own = parse(certificate);
    if (own.has_error()) return own.error();
    auto const others = parse_all(chain);
    if (others.has_error()) return others.error();
    // A secret's text ends in a zero.
    auto const* const phrase = password.reveal().data();
    pkcs12_bag const bag(
        PKCS12_create(phrase, nullptr, key_.get(), own->get(), others->get(), 0, 0, 0, 0, 0));
    auto const to = secret_buffer();
    if (!bag || !to || i2d_PKCS12_bio(to.get(), bag.get()) != 1) return no_memory("make a PKCS#12");
    return secret(text_of(to.get()));
}

result<leaf> check(granted const& got, private_key const& key, subject const& wanted, seconds life,
                   wall_time now) {
    auto const own = parse(got.certificate);
    if (own.has_error()) return own.error();
    auto const chain = parse_all(got.chain);
    if (chain.has_error()) return chain.error();
    auto const trusted = parse_all(got.trusted);
    if (trusted.has_error()) return trusted.error();
    auto* const cert = own->get();
    auto made = read_leaf(cert);
    auto const refuse = [&made](std::string const& why) {
        return wrong("check the granted certificate " + made.serial + ": " + why);
    };
    if (X509_check_private_key(cert, key.native()) != 1) return refuse("it is of another key");
    if (auto const name = missing_name(cert, wanted); !name.empty())
        return refuse("it has not the name " + name);
    if (!wanted.common_name.empty() && common_name(cert) != wanted.common_name)
        return refuse("it has not the common name " + wanted.common_name);
    if (!is_for_both(cert)) return refuse("it is not for servers and clients both");
    // A service would refuse it, or its peers would: the clocks are to be looked at.
    if (made.not_before > now) return refuse("it is not valid yet: is this node's clock right?");
    if (made.not_after - now < life / 2)
        return refuse("it is good for " + std::to_string((made.not_after - now).count()) +
                      "s, less than half of the " + std::to_string(life.count()) +
                      "s that were asked for");
    if (auto const why = chain_problem(cert, chain->get(), trusted->get(), now); !why.empty())
        return refuse("it " + why);
    auto hash = bundle_hash(got.trusted);
    if (hash.has_error()) return hash.error();
    made.trusted = std::move(*hash);
    if (sk_X509_num(chain->get()) > 0)
        made.issuer = read_leaf(sk_X509_value(chain->get(), 0)).serial;
    return made;
}

std::string serial_text(ASN1_INTEGER const* serial) {
    std::string made;
    auto* const number = ASN1_INTEGER_to_BN(serial, nullptr);
    auto* const text = number == nullptr ? nullptr : BN_bn2hex(number);
    if (text != nullptr) made = text;
    std::ranges::transform(made, made.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    OPENSSL_free(text);
    BN_free(number);
    return made;
}

leaf read_leaf(X509* certificate) {
    leaf made;
    made.serial = serial_text(X509_get0_serialNumber(certificate));
    made.not_before = time_of(X509_get0_notBefore(certificate));
    made.not_after = time_of(X509_get0_notAfter(certificate));
    return made;
}

result<leaf> read_leaf(std::string const& certificate) {
    auto const own = parse(certificate);
    if (own.has_error()) return own.error();
    return read_leaf(own->get());
}

std::vector<std::string> split_pem(std::string_view text, std::string_view label) {
    auto const begin = "-----BEGIN " + std::string(label) + "-----";
    auto const end = "-----END " + std::string(label) + "-----";
    std::vector<std::string> all;
    for (;;) {
        auto const from = text.find(begin);
        auto const last = from == std::string_view::npos ? from : text.find(end, from);
        if (last == std::string_view::npos) return all;
        all.emplace_back(text.substr(from, last + end.size() - from));
        text.remove_prefix(last + end.size());
    }
}

std::string common_name_of(std::string const& certificate) {
    auto const own = parse(certificate);
    if (own.has_error()) return {};
    return common_name(own->get()).value_or(std::string());
}

bool is_root(std::string const& certificate) {
    auto const own = parse(certificate);
    return own.has_value() &&
           X509_NAME_cmp(X509_get_subject_name(own->get()), X509_get_issuer_name(own->get())) == 0;
}

result<std::string> bundle_hash(std::vector<std::string> const& certificates) {
    std::vector<std::array<unsigned char, 32>> each;
    for (auto const& pem : certificates) {
        auto const one = parse(pem);
        if (one.has_error()) return one.error();
        unsigned size = 0;
        if (X509_digest(one->get(), EVP_sha256(), each.emplace_back().data(), &size) != 1)
            return no_memory("hash a certificate");
    }
    std::ranges::sort(each);
    auto const repeats = std::ranges::unique(each);
    each.erase(repeats.begin(), repeats.end());
    std::array<unsigned char, 32> sum{};
    unsigned size = 0;
    if (EVP_Digest(each.data(), each.size() * 32, sum.data(), &size, EVP_sha256(), nullptr) != 1)
        return no_memory("hash a bundle");
    return hexadecimal(sum);
}

std::string hexadecimal(std::span<unsigned char const> bytes) {
    std::string text;
    for (auto const byte : bytes)
        for (unsigned const half : {byte / 16U, byte % 16U})
            text += "0123456789abcdef"[half];
    return text;
}

}  // namespace bevmesh::certs
