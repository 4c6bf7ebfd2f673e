// A small HTTP/1.1 server: the daemon's unix socket API and what it serves on loopback.
//
// With mutual TLS each request carries its sender's name (http_request::peer).
// The handler is one coroutine function; routing is the caller's. A handler that fails answers 500
// and takes down nothing but its own connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "mesh/net/http.hpp"

namespace bevmesh::net {

struct tls_door;

using http_handler = std::function<awaitable<http_response>(http_request)>;

struct listen_options {
    std::string socket_path;  // unix socket; or
    std::string address;      // literal address (loopback unless someone asked otherwise) and
    std::uint16_t port = 0;   // port; 0: any
    unsigned mode = 0660;     // of the socket file, from its first moment
    std::string group;        // owner group of the socket file; empty or unknown: unchanged
    std::size_t connections_max = 64;
    std::size_t body_limit = 1U << 20U;
    milliseconds idle_timeout{60'000};  // between requests, and for each request to arrive whole
    /// Mutual TLS (mesh/net/mutual_tls.hpp); for a TCP listener. Clients whose handshake is not
    /// done yet get half of the connections at most, so that they cannot keep out those that are
    /// known.
    std::shared_ptr<tls_door> tls;
    milliseconds handshake_timeout{5'000};
    /// Told when accepting or a handshake fails, or a handler throws; must not throw.
    std::function<void(std::string const&)> on_error;
};

class http_server {
public:
    virtual ~http_server() = default;
    /// Serves until canceled or stop(); then lets requests in flight finish for up to 2 s. To be
    /// called once. A canceled run() throws the cancellation when that is done.
    virtual awaitable<void> run() = 0;
    virtual void stop() = 0;
    [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
};

/// Binds and listens at once, so that a taken address fails here. A stale socket file (nobody
/// answers a connect) is replaced; a live one is errc::conflict.
[[nodiscard]] result<std::unique_ptr<http_server>> make_http_server(
    boost::asio::any_io_executor executor, listen_options options, http_handler handler);

}  // namespace bevmesh::net
