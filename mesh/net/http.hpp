// HTTP/1.1 as the rest of bevmesh sees it: values and two interfaces, no Beast.
//
// Beast's asynchronous templates cost 20 s and 900 MB for each translation unit that instantiates
// them. Only its parser is used, in one .cpp file of this folder (http_wire.cpp); whoever includes
// this header compiles in about two seconds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/base/time.hpp"

namespace boost::asio::ssl {
class context;
}

namespace bevmesh::net {

using boost::asio::awaitable;

/// Where a server is. One of: TCP host and port (with or without TLS), or the path of a unix
/// socket.
struct endpoint {
    enum class kind { tcp, tls, unix_socket };
    kind transport = kind::tcp;
    std::string host;  // a literal address or a name; unbracketed IPv6
    std::uint16_t port = 0;
    std::string path;  // unix_socket

    friend bool operator==(endpoint const&, endpoint const&) = default;
};

/// "127.0.0.1:8500", "http://h:1", "https://[::1]:8501", "unix:///run/docker.sock". Pure.
[[nodiscard]] result<endpoint> parse_endpoint(std::string const& text, std::uint16_t default_port);
[[nodiscard]] std::string to_string(endpoint const& e);

struct http_request {
    std::string method = "GET";
    std::string target = "/";  // path and query, already percent-encoded
    std::vector<std::pair<std::string, std::string>> headers;
    /// Headers whose values must not be printed (X-Consul-Token, Authorization).
    std::vector<std::pair<std::string, secret>> secret_headers;
    std::string body;
    milliseconds timeout{10'000};         // whole exchange: connect, send, receive
    std::size_t body_limit = 16U << 20U;  // of the answer; over it: errc::too_large
    /// Of a received request: who sent it, as the listener's check of its certificate says. Empty
    /// where the listener asks for none. Never taken from the request itself.
    std::string peer;
    /// For a PUT that is not idempotent after all (Consul's ?cas= and transactions): a second
    /// sending could report that the first one's effect is a conflict.
    bool never_resend = false;
};

struct http_response {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// First value of a header, case-insensitive; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

/// An answer that is read while it arrives (Docker's events).
class http_stream {
public:
    virtual ~http_stream() = default;
    [[nodiscard]] virtual http_response const& head() const noexcept = 0;  // body is empty
    /// The next piece of the body, at least one byte. An empty string is the regular end.
    /// `idle_limit` zero: waits for ever. An answer that breaks off is errc::truncated.
    virtual awaitable<result<std::string>> read_some(milliseconds idle_limit) = 0;
};

/// What the caller may rely on for every failure below: `doing` is "METHOD target at PEER: reason".
/// Codes: bad_input (the request cannot be sent as HTTP), unreachable (no connection, no TLS
/// session), forbidden (unix socket's mode, our certificate refused), timed_out, canceled,
/// truncated (the connection ended before the answer did), too_large, bad_answer (not HTTP).

struct tls_options {
    std::string ca_file;  // empty: the system's
    std::string cert_file;
    std::string key_file;
    std::string server_name;  // for verification and SNI; empty: the endpoint's host
    bool verify = true;  // false: anybody may answer; for health probes that were told so, only
    /// Instead of the files above; shared, never changed.
    std::shared_ptr<boost::asio::ssl::context> context;
    /// Instead of both, for an HTTP client: asked for each new connection, which keeps what it
    /// began with. A failure is why there can be none now.
    std::function<result<std::shared_ptr<boost::asio::ssl::context>>()> current;
    /// Instead of a server name: the URI that the server's certificate must be for.
    std::string server_uri;
};

struct http_client_options {
    endpoint peer;
    tls_options tls;
    std::size_t connections_max = 8;  // more requests than that wait in order
    milliseconds idle_max{25'000};    // a kept-alive connection older than this is not used again
};

class http_client {
public:
    virtual ~http_client() = default;

    /// One request, one complete answer; any HTTP status is a success here. A request that failed
    /// on a kept-alive connection before a byte of the answer came is sent once more on a new
    /// connection if its method is idempotent (RFC 9110 9.2.2). Safe to cancel.
    virtual awaitable<result<http_response>> send(http_request request) = 0;

    /// A streaming answer, on a connection of its own. `timeout` bounds connect and head only.
    virtual awaitable<result<std::unique_ptr<http_stream>>> open(http_request request) = 0;

    [[nodiscard]] virtual endpoint const& peer() const noexcept = 0;
};

/// Fails when a TLS file cannot be read or does not fit; connects only when first used.
[[nodiscard]] result<std::unique_ptr<http_client>> make_http_client(
    boost::asio::any_io_executor executor, http_client_options options);

/// The failure that an answer with an error status means: 400 bad_input, 401 and 403 forbidden, 404
/// not_found, 409 and 412 conflict, 429 and 5xx remote_error, anything else bad_answer. `reason` is
/// what the peer said; its first line is told: "PUT /x at h:1: 403 Permission denied".
[[nodiscard]] failure status_failure(http_request const& request, endpoint const& peer,
                                     unsigned status, std::string_view reason);

/// Percent-encodes everything outside RFC 3986's unreserved set: for one path segment or query
/// value.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace bevmesh::net
