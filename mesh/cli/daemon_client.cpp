#include "mesh/cli/daemon_client.hpp"

#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "mesh/cli/text.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;
using response = result<net::http_response>;

// A mesh of 10,000 instances with three checks each is about 20 MB.
constexpr std::size_t answer_max = 256U << 20U;

net::awaitable<void> exchange(net::http_client& client, net::http_request request,
                              std::optional<response>& answer) {
    answer = co_await client.send(std::move(request));
}

/// Runs the loop until the answer is there: a kept-alive connection would keep run() busy.
response run_until_answered(net::http_client& client, boost::asio::io_context& loop,
                            net::http_request request) {
    std::optional<response> answer;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, exchange(client, std::move(request), answer),
                          [&](std::exception_ptr e) { thrown = e; });
    while (!answer && !thrown && loop.run_one() > 0) {
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!answer) return failure{errc::local_error, "the request to the daemon was lost"};
    return *std::move(answer);
}

failure with_hint(failure f, std::string const& socket) {
    if (f.code == errc::unreachable)
        f.doing += "\nis the daemon running on this node? `systemctl status bevmesh`; " + socket +
                   " is its socket unless --socket or BEVMESH_SOCKET says otherwise";
    if (f.code == errc::forbidden)
        f.doing +=
            "\nthe socket is for root and its group: `sudo adduser $USER bevmesh`, then "
            "log in again";
    return f;
}

}  // namespace

result<json> daemon_client::send(net::http_request request) const {
    boost::asio::io_context loop(1);
    net::http_client_options options;
    options.peer.transport = net::endpoint::kind::unix_socket;
    options.peer.path = socket_;
    options.connections_max = 1;
    auto const client = net::make_http_client(loop.get_executor(), options);
    if (!client) return client.error();
    request.timeout = timeout_;
    request.body_limit = answer_max;
    auto const what = request.method + " " + request.target;
    auto const answer = run_until_answered(**client, loop, std::move(request));
    if (!answer) return with_hint(answer.error(), socket_);
    auto const& got = *answer;
    auto body = json::parse(got.body, nullptr, false);
    if (got.status < 200 || got.status >= 300) {
        auto f = daemon::refusal(got, "the daemon");
        f.doing = printable(f.doing);
        return f;
    }
    if (body.is_discarded())
        return failure{errc::bad_answer, what + " at " + socket_ + ": the answer is not JSON"};
    return {boost::system::in_place_value, std::move(body)};
}

result<json> daemon_client::get(std::string const& target) const {
    net::http_request request;
    request.target = target;
    return send(std::move(request));
}

result<json> daemon_client::post(std::string const& target, json const& body) const {
    net::http_request request;
    request.method = "POST";
    request.target = target;
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return send(std::move(request));
}

}  // namespace bevmesh::cli
