// Daemons of a mesh of three on the loopback, as far as their peers see them.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "mesh/daemon/peers.hpp"
#include "mesh/net/task_group.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

namespace bevmesh::testing {

[[nodiscard]] std::uint16_t free_port();

/// starlord, thanos and oracle1, as `node` has it: with files of `ca` in `tls`.
[[nodiscard]] mesh_config three_nodes(authority& ca, std::string const& node, std::uint16_t port);

/// One of them, which listens: /echo, /for-ever, POST /conflict, /v1/peer.
struct member {
    member(boost::asio::io_context& loop, mesh_config const& config, std::string const& name);
    ~member() { server->stop(); }
    member(member const&) = delete;
    member& operator=(member const&) = delete;

    std::string node;
    daemon::routes table;
    std::unique_ptr<daemon::peers> self;
    std::unique_ptr<net::http_server> server;
    net::task_group group;
};

[[nodiscard]] daemon::peer_question get_of(std::string target,
                                           milliseconds deadline = milliseconds(3'000));

/// The answer's text, or the failure's.
[[nodiscard]] std::string answer_of(boost::asio::io_context& loop, daemon::peers& from,
                                    std::string const& node, daemon::peer_question what);

}  // namespace bevmesh::testing
