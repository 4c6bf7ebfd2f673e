// A server with given answers, and a record of what it was asked: for the clients of Consul and
// Docker.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mesh/net/http_server.hpp"
#include "tests/mesh/net_fixture.hpp"

namespace bevmesh::testing {

class api_double {
public:
    api_double() : group_(loop.get_executor(), nullptr) {
        net::listen_options options;
        options.address = "127.0.0.1";
        server_ = std::move(
            net::make_http_server(loop.get_executor(), options, [this](net::http_request request) {
                return answer(this, std::move(request));
            }).value());
        group_.spawn(server_->run(), "server");
    }
    ~api_double() {
        server_->stop();
        run(loop, group_.join());
    }
    api_double(api_double const&) = delete;
    api_double& operator=(api_double const&) = delete;

    /// `key` is "METHOD target"; what has no answer is 404.
    void on(std::string const& key, unsigned status, std::string body,
            std::vector<std::pair<std::string, std::string>> headers = {}) {
        auto& a = answers_[key];
        a.status = status;
        a.body = std::move(body);
        a.headers = std::move(headers);
    }
    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(server_->port());
    }

    boost::asio::io_context loop;
    std::vector<net::http_request> asked;

private:
    static awaitable<net::http_response> answer(api_double* self, net::http_request request) {
        auto const found = self->answers_.find(request.method + " " + request.target);
        self->asked.push_back(std::move(request));
        net::http_response missing;
        missing.status = 404;
        co_return found == self->answers_.end() ? missing : found->second;
    }

    std::map<std::string, net::http_response> answers_;
    std::unique_ptr<net::http_server> server_;
    net::task_group group_;
};

/// Runs one call of a client and gives its result.
template <class T>
T call(api_double& api, awaitable<T> operation) {
    std::optional<T> out;
    auto const keep = [](awaitable<T> op, std::optional<T>& into) -> awaitable<void> {
        into = co_await std::move(op);
    };
    run(api.loop, keep(std::move(operation), out));
    return std::move(*out);
}

}  // namespace bevmesh::testing
