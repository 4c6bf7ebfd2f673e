// A server that misbehaves on request, and an event loop for one test.
//
// The scripted server speaks bytes, not HTTP: each connection runs the coroutine that the test gave
// for it, in order of arrival (the last one again for further connections).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "mesh/net/http.hpp"
#include "mesh/net/task_group.hpp"

namespace bevmesh::testing {

using boost::asio::awaitable;
using boost::asio::ip::tcp;

/// Runs until `test` has ended and its exceptions are thrown on; fails after 20 s.
void run(boost::asio::io_context& loop, awaitable<void> test);

/// One connection as the script sees it.
class wire {
public:
    explicit wire(tcp::socket socket) : socket_(std::move(socket)) {}

    /// Through the blank line and the body that Content-Length announces; "" when the peer closed.
    awaitable<std::string> request();
    awaitable<void> send(std::string bytes);
    /// Until the peer closes; anything that it sends is dropped.
    awaitable<void> until_closed();
    void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }
    /// With a RST instead of a FIN.
    void reset();
    tcp::socket& socket() { return socket_; }

private:
    tcp::socket socket_;
    std::string unread_;
};

using script = std::function<awaitable<void>(std::shared_ptr<wire>)>;

class scripted_server {
public:
    scripted_server(boost::asio::io_context& loop, std::vector<script> scripts);
    ~scripted_server();

    [[nodiscard]] net::endpoint where() const;
    [[nodiscard]] std::size_t connections() const;

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by what it spawned: a child may start late
};

/// Answers one request with `bytes` and waits for the peer to close.
[[nodiscard]] script answer(std::string bytes);
/// Answers one request with `bytes` and closes.
[[nodiscard]] script answer_and_close(std::string bytes);
/// Answers every request of the connection with 200 and the request's line as body.
[[nodiscard]] script echo();
/// Reads the request and never answers.
[[nodiscard]] script silence();

[[nodiscard]] std::unique_ptr<net::http_client> client_of(boost::asio::io_context& loop,
                                                          net::endpoint where,
                                                          std::size_t connections_max = 8);
[[nodiscard]] net::http_request get(std::string target, milliseconds timeout = milliseconds(5'000));

}  // namespace bevmesh::testing
