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

/// "" when peers that trust the same CA will accept the chain, as a client's and a server's.
std::string chain_problem(SSL_CTX* context, X509* leaf) {
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(context, &chain);
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

}  // namespace

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
    return check_own(std::move(context), files);
}

}  // namespace bevmesh::net
