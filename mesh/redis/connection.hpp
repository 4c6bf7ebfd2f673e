// One connection to a Redis server: RESP over our own stream, TCP or TLS or a unix socket.
//
// hiredis parses (Debian's has no TLS, and its own I/O would block the loop). A reply that is an
// error is a reply; a failure means that the command's fate is unknown, or, from open(), that
// nothing but credentials was sent. After a failure the connection is closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "mesh/base/secret.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::redis {

using boost::asio::awaitable;

struct reply {
    enum class kind { nil, text, integer, array, error };
    kind is = kind::nil;
    std::string text;  // text (status or bulk), error
    std::int64_t number = 0;
    std::vector<reply> items;

    [[nodiscard]] bool failed() const noexcept { return is == kind::error; }
    /// An error's first word, "READONLY", "NOAUTH", "ERR"; else empty.
    [[nodiscard]] std::string_view error_code() const noexcept;

    friend bool operator==(reply const&, reply const&) = default;
};

struct settings {
    net::endpoint where;   // kind tls: `tls` says whom to trust
    net::tls_options tls;  // cert and key for tls-auth-clients
    std::string user;      // ACL user; empty: the default user
    secret password;       // empty: no AUTH is sent
};

class connection {
public:
    virtual ~connection() = default;

    /// Connects, and authenticates where there is a password. errc::forbidden: NOAUTH or WRONGPASS,
    /// the server's words in the text.
    virtual awaitable<result<void>> open(net::steady_point deadline) = 0;
    /// Sends one command, never through any shell or text protocol, and waits for its reply.
    virtual awaitable<result<reply>> call(std::vector<std::string> argv,
                                          net::steady_point deadline) = 0;
    virtual void close() noexcept = 0;
    /// "127.0.0.1:6379", for sentences.
    [[nodiscard]] virtual std::string const& name() const noexcept = 0;
};

/// errc::local_error when a file of `tls` cannot be used.
[[nodiscard]] result<std::unique_ptr<connection>> make_connection(
    boost::asio::any_io_executor const& executor, settings how);

}  // namespace bevmesh::redis
