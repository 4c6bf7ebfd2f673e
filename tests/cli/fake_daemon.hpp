// A daemon's local API with answers that the test wrote, on a real unix socket in a thread of its
// own.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "mesh/net/http_server.hpp"

namespace bevmesh::testing {

class fake_daemon {
public:
    fake_daemon();
    ~fake_daemon();
    fake_daemon(fake_daemon const&) = delete;
    fake_daemon& operator=(fake_daemon const&) = delete;

    /// "GET /v1/status" → status and body. What was not given is answered with 404 as the daemon
    /// does.
    void answer(std::string const& request, std::string body, unsigned status = 200);
    /// The request is never answered.
    void hang(std::string const& request);

    [[nodiscard]] std::string socket() const { return directory_ + "/api.sock"; }
    /// "GET /v1/status", or "POST /v1/maintenance BODY", in order.
    [[nodiscard]] std::vector<std::string> requests() const;

private:
    net::awaitable<net::http_response> handle(net::http_request request);

    std::string directory_;
    mutable std::mutex lock_;
    std::map<std::string, std::pair<unsigned, std::string>> answers_;
    std::vector<std::string> requests_;
    boost::asio::io_context loop_{1};
    std::unique_ptr<net::http_server> server_;
    std::jthread thread_;
};

}  // namespace bevmesh::testing
