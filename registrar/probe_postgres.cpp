// A connection attempt, judged as pg_isready does.
#include <boost/asio/this_coro.hpp>

#include "mesh/postgres/connection.hpp"
#include "registrar/prober.hpp"

namespace bevmesh::registrar {
namespace {

/// The server spoke: it wants another password, user or database than ours.
bool answered(errc code) {
    return code == errc::forbidden || code == errc::not_found || code == errc::conflict;
}

}  // namespace

boost::asio::awaitable<probe_outcome> probe_postgres(probe const& what) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto password = read_password(what.password_file);
    if (!password) co_return probe_outcome{false, describe(password.error())};
    postgres::settings how;
    how.host = what.host;
    how.port = what.port;
    if (!what.user.empty()) how.user = what.user;
    if (!what.database.empty()) how.database = what.database;
    how.password = std::move(*password);
    how.application = "bevmesh-probe";
    auto const connection = postgres::make_connection(executor, std::move(how));
    auto const opened = co_await connection->open(std::chrono::steady_clock::now() + what.timeout);
    if (opened) co_return probe_outcome{true, {}};
    bool const passes = what.password_file.empty() && answered(opened.error().code);
    co_return probe_outcome{passes, passes ? std::string() : opened.error().doing};
}

}  // namespace bevmesh::registrar
