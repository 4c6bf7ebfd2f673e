#include "mesh/net/stream.hpp"

#include <array>
#include <functional>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "mesh/net/tcp_connect.hpp"

namespace bevmesh::net {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using unix_socket = asio::local::stream_protocol;

namespace {

template <class Socket>
bool socket_quiet(Socket& socket) noexcept {
    if (!socket.is_open()) return false;
    char byte = 0;
    auto const n = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/// A refusal by the peer that reaches us as an alert, under TLS 1.3 only with the first read.
bool is_credentials_alert(error_code const& error) {
    if (error.category() != asio::error::get_ssl_category()) return false;
    switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            return true;
        default:
            return false;
    }
}

failure stream_failure(error_code const& error) {
    if (error == ssl::error::stream_truncated) {
        return {errc::truncated, "the peer closed the TLS connection without saying so"};
    }
    if (is_credentials_alert(error)) {
        return {errc::forbidden, "TLS: our certificate was refused: " + error.message()};
    }
    if (error.category() == asio::error::get_ssl_category()) {
        return {errc::bad_answer, "TLS: " + error.message()};
    }
    return socket_failure(error);
}

template <class Stream>
awaitable<result<std::size_t>> read_from(Stream& stream, std::span<char> into) {
    error_code error;
    auto const buffer = asio::buffer(into.data(), into.size());
    auto const n =
        co_await stream.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof) co_return std::size_t(0);
    if (error) co_return stream_failure(error);
    co_return n;
}

template <class Stream>
awaitable<result<void>> write_to(Stream& stream, std::string_view bytes) {
    error_code error;
    auto const buffer = asio::buffer(bytes.data(), bytes.size());
    co_await asio::async_write(stream, buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return stream_failure(error);
    co_return result<void>();
}

/// A socket that is connected already, and what the others have in common.
template <class Socket>
class socket_stream : public byte_stream {
public:
    explicit socket_stream(Socket socket) : socket_(std::move(socket)) {}

    awaitable<result<void>> connect(steady_point) override { co_return result<void>(); }
    awaitable<result<std::size_t>> read_some(std::span<char> into) override {
        return read_from(socket_, into);
    }
    awaitable<result<void>> write(std::string_view bytes) override {
        return write_to(socket_, bytes);
    }
    bool quiet() noexcept override { return socket_quiet(socket_); }
    void close() noexcept override {
        error_code ignored;
        socket_.close(ignored);
    }

protected:
    Socket socket_;
};

class unix_stream final : public socket_stream<unix_socket::socket> {
public:
    unix_stream(asio::any_io_executor const& executor, std::string path)
        : socket_stream(unix_socket::socket(executor)), path_(std::move(path)) {}

    awaitable<result<void>> connect(steady_point) override {
        sockaddr_un limit{};
        if (path_.size() >= sizeof limit.sun_path) {
            co_return failure{errc::bad_input, "the path is longer than a socket's may be"};
        }
        unix_socket::endpoint const peer(path_);
        error_code error;
        co_await socket_.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_return result<void>();
        auto const code = error == asio::error::operation_aborted ? errc::canceled
                          : error == asio::error::access_denied   ? errc::forbidden
                                                                  : errc::unreachable;
        co_return failure{code, "connect: " + error.message()};
    }

private:
    std::string path_;
};

class tcp_stream final : public socket_stream<tcp::socket> {
public:
    tcp_stream(asio::any_io_executor const& executor, endpoint const& peer)
        : socket_stream(tcp::socket(executor)), connector_(socket_, peer.host, peer.port) {}

    awaitable<result<void>> connect(steady_point deadline) override {
        return connector_.run(deadline);
    }
    void close() noexcept override { connector_.stop(); }

private:
    tcp_connector connector_;
};

/// Whom a certificate is for, asked in the handshake, so that a peer that is not meant gets an
/// alert and not a byte more.
class uri_verifier {
public:
    explicit uri_verifier(uri_check check) : check_(std::move(check)) {}

    bool operator()(bool chain_is_good, ssl::verify_context& context) {
        auto* const native = context.native_handle();
        if (!chain_is_good || X509_STORE_CTX_get_error_depth(native) != 0) return chain_is_good;
        auto named = check_(uri_names(X509_STORE_CTX_get_current_cert(native)));
        if (named.has_error()) {
            refusal_ = named.error().doing;
            X509_STORE_CTX_set_error(native, X509_V_ERR_CERT_REJECTED);
            return false;
        }
        peer_ = std::move(*named);
        return true;
    }
    [[nodiscard]] std::string const& refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::string const& peer() const noexcept { return peer_; }

private:
    uri_check check_;
    std::string refusal_;
    std::string peer_;
};

uri_check only(std::string uri) {
    return [uri = std::move(uri)](std::vector<std::string> const& uris) -> result<std::string> {
        for (auto const& found : uris) {
            if (found == uri) return uri;
        }
        return failure{errc::forbidden, "the certificate is for " +
                                            (uris.empty() ? "no URI" : uris.front()) +
                                            ", expected " + uri};
    };
}

/// Is closed without close_notify: an async_shutdown waits for the peer and can wait for ever, and
/// the framing of HTTP tells both sides where a message ends.
class tls_stream final : public byte_stream {
public:
    tls_stream(asio::any_io_executor const& executor, endpoint const& peer, tls_identity identity)
        : identity_(std::move(identity)),
          stream_(executor, *identity_.context),
          verifier_(only(identity_.server_uri)),
          connector_(stream_.next_layer(), peer.host, peer.port) {
        if (identity_.server_name.empty()) identity_.server_name = peer.host;
    }

    awaitable<result<void>> connect(steady_point deadline) override {
        auto const prepared = prepare_peer(stream_.native_handle(), identity_);
        if (prepared.has_error()) co_return prepared.error();
        error_code error;
        if (!identity_.server_uri.empty()) stream_.set_verify_callback(std::ref(verifier_), error);
        auto const connected = co_await connector_.run(deadline);
        if (connected.has_error()) co_return connected.error();
        co_await stream_.async_handshake(ssl::stream_base::client,
                                         asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_return result<void>();
        if (!verifier_.refusal().empty())
            co_return failure{errc::unreachable, "TLS: " + verifier_.refusal()};
        auto reason = stream_failure(error);
        if (reason.code == errc::bad_answer || reason.code == errc::truncated) {
            reason = failure{errc::unreachable, handshake_failure(stream_.native_handle(), error)};
        }
        co_return reason;
    }
    awaitable<result<std::size_t>> read_some(std::span<char> into) override {
        return read_from(stream_, into);
    }
    awaitable<result<void>> write(std::string_view bytes) override {
        return write_to(stream_, bytes);
    }
    bool quiet() noexcept override {
        return SSL_pending(stream_.native_handle()) == 0 && socket_quiet(stream_.next_layer());
    }
    void close() noexcept override { connector_.stop(); }

private:
    tls_identity identity_;  // holds the context: outlives the stream
    ssl::stream<tcp::socket> stream_;
    uri_verifier verifier_;
    tcp_connector connector_;
};

class accepted_tls_stream final : public byte_stream {
public:
    accepted_tls_stream(tcp::socket socket, tls_door const& door)
        : context_(door.context),
          stream_(std::move(socket), *context_),
          verifier_(door.identify),
          from_() {
        error_code ignored;
        stream_.set_verify_callback(std::ref(verifier_), ignored);
        from_ = stream_.next_layer().remote_endpoint(ignored).address().to_string(ignored);
    }

    awaitable<result<void>> connect(steady_point) override {
        error_code error;
        co_await stream_.async_handshake(ssl::stream_base::server,
                                         asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_return result<void>();
        auto const reason = verifier_.refusal().empty()
                                ? handshake_failure(stream_.native_handle(), error)
                                : "TLS: " + verifier_.refusal();
        co_await linger();
        co_return failure{errc::forbidden, "from " + from_ + ": " + reason};
    }
    awaitable<result<std::size_t>> read_some(std::span<char> into) override {
        return read_from(stream_, into);
    }
    awaitable<result<void>> write(std::string_view bytes) override {
        return write_to(stream_, bytes);
    }
    bool quiet() noexcept override {
        return SSL_pending(stream_.native_handle()) == 0 && socket_quiet(stream_.next_layer());
    }
    void close() noexcept override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }
    [[nodiscard]] std::string peer() const override { return verifier_.peer(); }

private:
    /// A socket that is closed with bytes unread sends a reset, which can overtake the alert that
    /// tells the client why. The caller's deadline bounds it.
    awaitable<void> linger() {
        error_code error;
        auto& socket = stream_.next_layer();
        socket.shutdown(tcp::socket::shutdown_send, error);
        std::array<char, 4096> dropped;
        auto const buffer = asio::buffer(dropped);
        while (!error) {
            co_await socket.async_read_some(buffer,
                                            asio::redirect_error(asio::use_awaitable, error));
        }
    }

    tls_context context_;  // outlives the stream
    ssl::stream<tcp::socket> stream_;
    uri_verifier verifier_;
    std::string from_;
};

}  // namespace

std::unique_ptr<byte_stream> make_stream(asio::any_io_executor const& executor,
                                         endpoint const& peer, tls_identity const& identity) {
    switch (peer.transport) {
        case endpoint::kind::unix_socket:
            return std::make_unique<unix_stream>(executor, peer.path);
        case endpoint::kind::tls:
            return std::make_unique<tls_stream>(executor, peer, identity);
        case endpoint::kind::tcp:
            break;
    }
    return std::make_unique<tcp_stream>(executor, peer);
}

std::unique_ptr<byte_stream> make_stream(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    return std::make_unique<socket_stream<tcp::socket>>(std::move(socket));
}

std::unique_ptr<byte_stream> make_stream(tcp::socket socket, tls_door const& door) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    return std::make_unique<accepted_tls_stream>(std::move(socket), door);
}

std::unique_ptr<byte_stream> make_stream(unix_socket::socket socket) {
    return std::make_unique<socket_stream<unix_socket::socket>>(std::move(socket));
}

}  // namespace bevmesh::net
