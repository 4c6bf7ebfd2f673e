// PING, and what of its answers means alive.
#include <boost/asio/this_coro.hpp>

#include "mesh/redis/connection.hpp"
#include "registrar/prober.hpp"

namespace bevmesh::registrar {

using boost::asio::awaitable;

awaitable<probe_outcome> probe_redis(probe const& what) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto password = read_password(what.password_file);
    if (!password) co_return probe_outcome{false, describe(password.error())};
    bool const credentials = !password->empty();
    redis::settings how;
    how.where.host = what.host;
    how.where.port = what.port;
    how.user = what.user;
    how.password = std::move(*password);
    auto made = redis::make_connection(executor, std::move(how));
    if (!made) co_return probe_outcome{false, made.error().doing};
    auto& connection = **made;
    auto const deadline = std::chrono::steady_clock::now() + what.timeout;
    auto const opened = co_await connection.open(deadline);
    if (!opened) co_return probe_outcome{false, opened.error().doing};
    std::vector<std::string> ping{"PING"};
    auto const answer = co_await connection.call(std::move(ping), deadline);
    if (!answer) co_return probe_outcome{false, answer.error().doing};
    bool const alive = !answer->failed() || (!credentials && answer->error_code() == "NOAUTH");
    co_return probe_outcome{alive, alive ? std::string() : answer->text};
}

}  // namespace bevmesh::registrar
