// Resolving and connecting under one deadline. Internal to mesh/net.
//
// getaddrinfo runs on a thread of Asio's and cannot be interrupted; a resolution that is given up
// goes on by itself and its result is dropped (io_context::run() returns only after it). Literal
// addresses never go that way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "mesh/net/deadline.hpp"

namespace bevmesh::net {

class tcp_connector {
public:
    tcp_connector(boost::asio::ip::tcp::socket& socket, std::string host, std::uint16_t port);

    /// Tries the addresses one after the other; each gets its share of the time until `deadline`,
    /// at which the caller stops it.
    boost::asio::awaitable<result<void>> run(steady_point deadline);
    /// Ends run() and closes the socket.
    void stop() noexcept;

private:
    struct resolution;
    boost::asio::awaitable<result<std::vector<boost::asio::ip::tcp::endpoint>>> resolve();
    void close_socket() noexcept;

    boost::asio::ip::tcp::socket& socket_;
    std::string host_;
    std::uint16_t port_;
    std::shared_ptr<resolution> resolving_;
    bool stopped_ = false;
};

/// The failure of an operation on a socket: reset and broken pipe are errc::truncated, our own
/// close and cancellation errc::canceled, the rest errc::unreachable.
[[nodiscard]] failure socket_failure(boost::system::error_code const& error);

}  // namespace bevmesh::net
