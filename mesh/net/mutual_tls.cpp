#include "mesh/net/mutual_tls.hpp"

#include <array>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace bevmesh::net {

namespace ssl = boost::asio::ssl;

namespace {

/// A certificate chain or a key is a few KiB; a bundle of roots a few hundred.
constexpr std::size_t file_max = 4U << 20U;

struct descriptor {
    explicit descriptor(int number) : fd(number) {}
    ~descriptor() {
        if (fd >= 0) ::close(fd);
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    int fd;
};

failure wrong(std::string const& what, std::string const& file, std::string const& why) {
    ERR_clear_error();
    return {errc::local_error, "TLS " + what + " " + file + ": " + why};
}

std::string system_text(int number) {
    return boost::system::error_code(number, boost::system::system_category()).message();
}

/// Mode and content are of the same open file.
result<std::string> read_file(std::string const& what, std::string const& path, bool is_private) {
    descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat found{};
    if (file.fd < 0 || ::fstat(file.fd, &found) != 0)
        return wrong(what, path, "cannot be read: " + system_text(errno));
    if (!S_ISREG(found.st_mode)) return wrong(what, path, "is no regular file");
    if (is_private && (found.st_mode & 077U) != 0)
        return wrong(what, path, "is open to others than its owner; expected mode 0600 or less");
    std::string content;
    std::array<char, 16U << 10U> buffer{};
    for (;;) {
        auto const n = ::read(file.fd, buffer.data(), buffer.size());
        if (n < 0) return wrong(what, path, "cannot be read: " + system_text(errno));
        if (n == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(n));
        if (content.size() > file_max) return wrong(what, path, "is too large for a PEM file");
    }
}

std::int64_t seconds_of(ASN1_TIME const* at) {
    tm parts{};
    if (ASN1_TIME_to_tm(at, &parts) != 1) return 0;
    return ::timegm(&parts);
}

std::string date_text(std::int64_t at) {
    auto const seconds = static_cast<time_t>(at);
    tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    auto const n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), n};
}

/// The intermediates, where Asio puts them; the macro for it hides a C cast.
STACK_OF(X509) * intermediates(SSL_CTX* context) {
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_ctrl(context, SSL_CTRL_GET_EXTRA_CHAIN_CERTS, 0, &chain);
    return chain;
}

/// "" when peers that trust the same CA will accept the chain, as a client's and a server's.
std::string chain_problem(SSL_CTX* context, X509* leaf) {
    auto* const chain = intermediates(context);
    for (auto const purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
        std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> const check(
            X509_STORE_CTX_new(), &X509_STORE_CTX_free);
        if (!check ||
            X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context), leaf, chain) != 1)
            return "cannot be checked";
        X509_STORE_CTX_set_purpose(check.get(), purpose);
        if (X509_verify_cert(check.get()) == 1) continue;
        auto const* const use = purpose == X509_PURPOSE_SSL_SERVER ? "server" : "client";
        return std::string("is not accepted as a ") + use + "'s certificate: " +
               X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
    }
    return {};
}

result<mutual_tls> check_own(tls_context context, mutual_tls_files const& files) {
    mutual_tls made;
    auto* const native = context->native_handle();
    auto* const leaf = SSL_CTX_get0_certificate(native);
    made.uris = uri_names(leaf);
    made.expires = seconds_of(X509_get0_notAfter(leaf));
    auto const now = static_cast<std::int64_t>(std::time(nullptr));
    auto const begins = seconds_of(X509_get0_notBefore(leaf));
    if (made.expires <= now)
        return wrong("certificate", files.certificate,
                     "expired at " + date_text(made.expires) + "; expected one that is valid now");
    if (begins > now)
        return wrong("certificate", files.certificate,
                     "is valid only from " + date_text(begins) + "; is this node's clock right?");
    if (SSL_CTX_check_private_key(native) != 1)
        return wrong("key", files.key, "does not fit the certificate " + files.certificate);
    if (auto const problem = chain_problem(native, leaf); !problem.empty())
        return wrong("certificate", files.certificate,
                     problem + "; expected one of the CA " + files.ca);
    made.context = std::move(context);
    return made;
}

using certificates = std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)>;

certificates trusted_by(SSL_CTX* context) {
    return {X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context)),
            [](STACK_OF(X509) * all) { sk_X509_pop_free(all, X509_free); }};
}

/// Peers are told which CAs we trust, as a client and as a server: one with two certificates then
/// knows which of them to show.
bool announce_trusted(SSL_CTX* context) {
    auto const all = trusted_by(context);
    auto* const names = sk_X509_NAME_new_null();
    for (int i = 0; i < sk_X509_num(all.get()); ++i) {
        auto* const name = X509_NAME_dup(X509_get_subject_name(sk_X509_value(all.get(), i)));
        if (name == nullptr || sk_X509_NAME_push(names, name) <= 0) {
            X509_NAME_free(name);
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return false;
        }
    }
    SSL_CTX_set0_CA_list(context, names);
    return true;
}

bool is_among(STACK_OF(X509_NAME) const* names, X509_NAME const* name) {
    for (int i = 0; i < sk_X509_NAME_num(names); ++i)
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0) return true;
    return false;
}

/// Whether the certificate or one of its intermediates is of a CA with one of these names.
bool is_issued_by(STACK_OF(X509_NAME) const* names, SSL_CTX* identity) {
    if (is_among(names, X509_get_issuer_name(SSL_CTX_get0_certificate(identity)))) return true;
    auto const* const chain = intermediates(identity);
    for (int i = 0; i < sk_X509_num(chain); ++i)
        if (is_among(names, X509_get_issuer_name(sk_X509_value(chain, i)))) return true;
    return false;
}

/// Whether a CRL that the issuer signed has the certificate: CAs of one name may have other keys.
bool is_revoked(X509_STORE_CTX* check, X509* certificate, X509* issuer) {
    auto* const lists = X509_STORE_CTX_get1_crls(check, X509_get_issuer_name(certificate));
    bool found = false;
    for (int i = 0; i < sk_X509_CRL_num(lists) && !found; ++i) {
        auto* const list = sk_X509_CRL_value(lists, i);
        X509_REVOKED* entry = nullptr;
        // 2: taken off the list again, which a delta CRL alone says.
        found = X509_CRL_get0_by_cert(list, &entry, certificate) == 1 &&
                X509_CRL_verify(list, X509_get0_pubkey(issuer)) == 1;
    }
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    ERR_clear_error();
    return found;
}

/// In the place of OpenSSL's own check, which refuses who has no CRL and whose CRL has ended.
int check_revocation(X509_STORE_CTX* check) {
    auto* const chain = X509_STORE_CTX_get0_chain(check);
    for (int i = 0; i + 1 < sk_X509_num(chain); ++i) {
        auto* const certificate = sk_X509_value(chain, i);
        if (!is_revoked(check, certificate, sk_X509_value(chain, i + 1))) continue;
        X509_STORE_CTX_set_error_depth(check, i);
        X509_STORE_CTX_set_current_cert(check, certificate);
        X509_STORE_CTX_set_error(check, X509_V_ERR_CERT_REVOKED);
        if (X509_STORE_CTX_get_verify_cb(check)(0, check) != 1) return 0;
    }
    return 1;
}

result<void> add_crls(SSL_CTX* context, std::string const& file) {
    if (file.empty() || (::access(file.c_str(), F_OK) != 0 && errno == ENOENT)) return {};
    auto const content = read_file("CRL", file, false);
    if (!content) return content.error();
    auto* const store = SSL_CTX_get_cert_store(context);
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const from(
        BIO_new_mem_buf(content->data(), static_cast<int>(content->size())), &BIO_free_all);
    std::size_t added = 0;
    while (auto* const list = PEM_read_bio_X509_CRL(from.get(), nullptr, nullptr, nullptr)) {
        bool const taken = X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
        if (!taken) return wrong("CRL", file, "OpenSSL does not take it");
        ++added;
    }
    ERR_clear_error();
    if (added == 0) return wrong("CRL", file, "expected PEM CRLs");
    X509_STORE_set_check_revocation(store, &check_revocation);
    return {};
}

struct either {
    tls_context first;
    tls_context second;
};

/// OpenSSL asks before it shows a certificate, on both sides. 0 would end the handshake.
int choose(SSL* connection, void* argument) {
    auto const& ours = *static_cast<either const*>(argument);
    auto const* const trusted = SSL_get0_peer_CA_list(connection);
    auto* const second = ours.second->native_handle();
    if (sk_X509_NAME_num(trusted) <= 0 || is_issued_by(trusted, ours.first->native_handle()) ||
        !is_issued_by(trusted, second))
        return 1;
    // One of another kind of key would stay beside it; and without intermediates of its own those
    // of `first` would follow.
    SSL_certs_clear(connection);
    auto* const chain = intermediates(second);
    certificates const nothing(sk_X509_new_null(), [](STACK_OF(X509) * s) { sk_X509_free(s); });
    return SSL_use_cert_and_key(connection, SSL_CTX_get0_certificate(second),
                                SSL_CTX_get0_privatekey(second),
                                chain != nullptr ? chain : nothing.get(), 1);
}

}  // namespace

result<mutual_tls> show_either(mutual_tls first, mutual_tls second) {
    failure const refused{errc::local_error, "TLS: OpenSSL takes no second certificate"};
    auto const both = std::make_shared<either>(either{first.context, second.context});
    auto* const native = both->first->native_handle();
    auto const more = trusted_by(both->second->native_handle());
    for (int i = 0; i < sk_X509_num(more.get()); ++i)
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(native), sk_X509_value(more.get(), i)) != 1)
            return refused;
    if (!announce_trusted(native)) return refused;
    SSL_CTX_set_cert_cb(native, &choose, both.get());
    first.context = tls_context(both, both->first.get());
    return first;
}

result<mutual_tls> load_mutual_tls(mutual_tls_files const& files) {
    auto const certificate = read_file("certificate", files.certificate, false);
    if (!certificate) return certificate.error();
    auto const key = read_file("key", files.key, true);
    if (!key) return key.error();
    auto const ca = read_file("CA", files.ca, false);
    if (!ca) return ca.error();

    auto context = std::make_shared<ssl::context>(ssl::context::tls);
    auto* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(native, 0);
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    boost::system::error_code error;
    if (context->add_certificate_authority(boost::asio::buffer(*ca), error); error)
        return wrong("CA", files.ca, "expected PEM certificates: " + error.message());
    if (context->use_certificate_chain(boost::asio::buffer(*certificate), error); error)
        return wrong("certificate", files.certificate,
                     "expected a PEM certificate: " + error.message());
    if (context->use_private_key(boost::asio::buffer(*key), ssl::context::pem, error); error) {
        auto const fits =
            ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH
                ? "does not fit the certificate " + files.certificate
                : "expected a PEM key without a passphrase: " + error.message();
        return wrong("key", files.key, fits);
    }
    if (!announce_trusted(native)) return wrong("CA", files.ca, "has a name that is none");
    auto made = check_own(std::move(context), files);
    if (!made) return made;
    if (auto const added = add_crls(native, files.crl); !added) return added.error();
    return made;
}

}  // namespace bevmesh::net
