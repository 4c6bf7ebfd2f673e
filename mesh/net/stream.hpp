// A connection as bytes, whatever carries it: TCP, TLS or a unix socket. Internal to mesh/net.
//
// Failures carry only the reason ("connection refused"); the caller knows what was being done.
// close() ends every operation that is under way, also the connect and the name resolution in it,
// and is how deadlines work. Nothing may be destroyed while an operation is under way.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "mesh/net/deadline.hpp"
#include "mesh/net/http.hpp"
#include "mesh/net/mutual_tls.hpp"
#include "mesh/net/tls.hpp"

namespace bevmesh::net {

class byte_stream {
public:
    virtual ~byte_stream() = default;

    /// Once, before anything else. Several addresses of a name share the time until `deadline`; the
    /// caller closes the stream when it is over.
    virtual awaitable<result<void>> connect(steady_point deadline) = 0;
    /// At least one byte, or 0 at the regular end. A TLS peer that closes without saying so is
    /// errc::truncated.
    virtual awaitable<result<std::size_t>> read_some(std::span<char> into) = 0;
    virtual awaitable<result<void>> write(std::string_view bytes) = 0;
    /// Open, with nothing to read: an idle connection on which anything arrived is not to be
    /// trusted.
    [[nodiscard]] virtual bool quiet() noexcept = 0;
    virtual void close() noexcept = 0;
    /// Who is at the other end, as mutual TLS's check said; empty without.
    [[nodiscard]] virtual std::string peer() const { return {}; }
};

/// A stream that is still to be connected. `identity` is used for endpoint::kind::tls only.
[[nodiscard]] std::unique_ptr<byte_stream> make_stream(boost::asio::any_io_executor const& executor,
                                                       endpoint const& peer,
                                                       tls_identity const& identity);
/// Over an accepted socket; connect() is the handshake. A failure names the client's address.
[[nodiscard]] std::unique_ptr<byte_stream> make_stream(boost::asio::ip::tcp::socket socket,
                                                       tls_door const& door);
/// Streams over accepted sockets; their connect() does nothing.
[[nodiscard]] std::unique_ptr<byte_stream> make_stream(boost::asio::ip::tcp::socket socket);
[[nodiscard]] std::unique_ptr<byte_stream> make_stream(
    boost::asio::local::stream_protocol::socket socket);

}  // namespace bevmesh::net
