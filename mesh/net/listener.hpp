// Where the HTTP server accepts: a unix socket or a TCP port. Internal to mesh/net.
#pragma once

#include <memory>

#include "mesh/net/http_server.hpp"
#include "mesh/net/stream.hpp"

namespace bevmesh::net {

class listener {
public:
    virtual ~listener() = default;
    /// A connected stream. errc::canceled after close() or cancellation; other failures pass
    /// (descriptors ran out) and are worth another try a little later.
    virtual awaitable<result<std::unique_ptr<byte_stream>>> accept() = 0;
    virtual void close() noexcept = 0;
    [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
    [[nodiscard]] virtual std::string const& name() const noexcept = 0;
};

/// Bound and listening. A unix socket has its mode and group before anybody can connect, and its
/// file is removed with the listener if it is still the same file.
[[nodiscard]] result<std::unique_ptr<listener>> make_listener(
    boost::asio::any_io_executor const& executor, listen_options const& options);

}  // namespace bevmesh::net
