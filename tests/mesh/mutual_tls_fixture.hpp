// A listener of the mesh's nodes, and what becomes of a client that knocks at it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "mesh/net/http_server.hpp"
#include "mesh/net/mutual_tls.hpp"
#include "mesh/net/task_group.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

namespace bevmesh::testing {

[[nodiscard]] std::string uri_of(std::string const& node);

[[nodiscard]] net::mutual_tls load(issued const& files, authority const& ca,
                                   std::string const& crl = "");

/// A listener of node thanos, and what it complained of.
struct door {
    explicit door(issued const& files, authority const& ca, std::size_t connections_max = 64,
                  milliseconds handshake_timeout = seconds(10));
    ~door() { server->stop(); }

    /// The client may have ended before this side has read what it sent.
    void wait_for_complaint();
    [[nodiscard]] net::endpoint where() const;

    boost::asio::io_context loop;
    std::shared_ptr<net::tls_door> tls;
    std::unique_ptr<net::http_server> server;
    net::task_group group;
    std::vector<std::string> complaints;
};

[[nodiscard]] awaitable<void> ask(net::http_client& client, std::string target, std::string& out);

[[nodiscard]] std::unique_ptr<net::http_client> client_as(door& at, net::tls_context context,
                                                          std::string const& meant);

/// Of GET /hello: the status and the body, or the failure.
[[nodiscard]] std::string outcome(door& at, net::tls_context context,
                                  std::string const& meant = "thanos");

using words = std::vector<std::string>;

/// What `openssl s_client` with these arguments makes of the listener: "answered" or "refused".
[[nodiscard]] std::string openssl_outcome(door& at, words const& arguments);
[[nodiscard]] words as_client(issued const& files, words const& more = {});

}  // namespace bevmesh::testing
