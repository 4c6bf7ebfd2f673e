#include "registrar/prober.hpp"

#include <fstream>

#include <boost/asio/this_coro.hpp>

#include "mesh/net/deadline.hpp"
#include "mesh/net/stream.hpp"

namespace bevmesh::registrar {
namespace {

using boost::asio::awaitable;

class network_prober final : public prober {
public:
    explicit network_prober(boost::asio::any_io_executor executor)
        : executor_(std::move(executor)) {}

    awaitable<probe_outcome> run(probe what) override {
        switch (what.kind) {
            case probe_kind::tcp:
                co_return co_await probe_tcp(what);
            case probe_kind::http:
            case probe_kind::https:
                co_return co_await probe_http(what);
            case probe_kind::redis:
                co_return co_await probe_redis(what);
            case probe_kind::postgres:
                co_return co_await probe_postgres(what);
        }
        co_return probe_outcome();
    }

private:
    boost::asio::any_io_executor executor_;
};

net::endpoint endpoint_of(probe const& what) {
    net::endpoint e;
    e.transport =
        what.kind == probe_kind::https ? net::endpoint::kind::tls : net::endpoint::kind::tcp;
    e.host = what.host;
    e.port = what.port;
    return e;
}

}  // namespace

std::unique_ptr<prober> make_prober(boost::asio::any_io_executor executor) {
    return std::make_unique<network_prober>(std::move(executor));
}

awaitable<probe_outcome> probe_tcp(probe const& what) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const peer = endpoint_of(what);
    net::tls_identity const plain;
    auto const stream = net::make_stream(executor, peer, plain);
    auto const deadline = std::chrono::steady_clock::now() + what.timeout;
    auto const connected = co_await stream->connect(deadline);
    probe_outcome outcome;
    outcome.passing = connected.has_value();
    if (!connected) outcome.detail = connected.error().doing;
    stream->close();
    co_return outcome;
}

awaitable<probe_outcome> probe_http(probe const& what) {
    auto const executor = co_await boost::asio::this_coro::executor;
    net::http_client_options options;
    options.peer = endpoint_of(what);
    options.tls.server_name = what.tls_server_name;
    options.tls.verify = !what.tls_skip_verify;
    options.connections_max = 1;
    auto client = net::make_http_client(executor, std::move(options));
    if (!client) co_return probe_outcome{false, describe(client.error())};
    net::http_request request;
    request.method = what.method;
    request.target = what.path.empty() ? "/" : what.path;
    for (auto const& [key, values] : what.headers)
        for (auto const& value : values)
            request.headers.emplace_back(key, value);
    request.body = what.body;
    request.timeout = what.timeout;
    auto const answer = co_await (*client)->send(std::move(request));
    probe_outcome outcome;
    if (!answer) {
        outcome.detail = describe(answer.error());
    } else {
        outcome.passing = answer->status >= 200 && answer->status < 300;
        if (!outcome.passing) outcome.detail = "HTTP status " + std::to_string(answer->status);
    }
    co_return outcome;
}

result<secret> read_password(std::string const& path) {
    if (path.empty()) return secret();
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line))
        return failure{errc::local_error, "read the password file " + path};
    if (line.ends_with('\r')) line.pop_back();
    return secret(std::move(line));
}

}  // namespace bevmesh::registrar
