// A connection attempt by libpq's non-blocking interface, judged as pg_isready does.
#include <memory>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

#include "mesh/net/deadline.hpp"
#include "registrar/prober.hpp"

namespace bevmesh::registrar {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

/// PostgreSQL's SQLSTATE 57P03, cannot_connect_now: starting up, shutting down, in recovery.
bool refuses_for_now(PGconn const& c) {
    std::string_view const text = PQerrorMessage(&c);
    return text.find("the database system is") != std::string_view::npos;
}

/// The server spoke: it wants another password, user or database than ours.
bool server_answered(PGconn const& c) {
    std::string_view const text = PQerrorMessage(&c);
    return PQprotocolVersion(&c) >= 3 || text.find("FATAL:") != std::string_view::npos ||
           PQconnectionNeedsPassword(&c) != 0;
}

connection start(probe const& what, std::string const& password) {
    auto const port = std::to_string(what.port);
    bool const literal = what.host.find_first_not_of("0123456789.") == std::string::npos ||
                         what.host.find(':') != std::string::npos;
    // hostaddr keeps libpq from a blocking name resolution.
    std::vector<char const*> const keys{literal ? "hostaddr" : "host",
                                        "port",
                                        "user",
                                        "dbname",
                                        "password",
                                        "application_name",
                                        nullptr};
    std::vector<char const*> const values{
        what.host.c_str(),
        port.c_str(),
        what.user.empty() ? "postgres" : what.user.c_str(),
        what.database.empty() ? "postgres" : what.database.c_str(),
        password.empty() ? nullptr : password.c_str(),
        "bevmesh-probe",
        nullptr};
    return {PQconnectStartParams(keys.data(), values.data(), 0), &PQfinish};
}

/// Waits until libpq's socket is ready. libpq may change its socket between two polls (it tries
/// several addresses), so the descriptor is looked at anew each time, through a duplicate that is
/// ours.
awaitable<void> wait_for(PGconn& c, asio::posix::stream_descriptor::wait_type what) {
    auto const executor = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor socket(executor, ::dup(PQsocket(&c)));
    co_await socket.async_wait(what, asio::use_awaitable);
}

awaitable<probe_outcome> converse(PGconn& c, bool credentials) {
    auto state = PGRES_POLLING_WRITING;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        if (PQsocket(&c) < 0) break;
        auto const direction = state == PGRES_POLLING_READING
                                   ? asio::posix::stream_descriptor::wait_read
                                   : asio::posix::stream_descriptor::wait_write;
        co_await wait_for(c, direction);
        state = PQconnectPoll(&c);
    }
    probe_outcome outcome;
    if (state == PGRES_POLLING_OK)
        outcome.passing = true;
    else if (!refuses_for_now(c) && server_answered(c) && !credentials)
        outcome.passing = true;
    else
        outcome.detail = PQerrorMessage(&c);
    while (!outcome.detail.empty() && outcome.detail.back() == '\n')
        outcome.detail.pop_back();
    co_return outcome;
}

}  // namespace

awaitable<probe_outcome> probe_postgres(probe const& what) {
    auto const password = read_password(what.password_file);
    if (!password) co_return probe_outcome{false, describe(password.error())};
    auto const c = start(what, std::string(password->reveal()));
    if (!c || PQstatus(c.get()) == CONNECTION_BAD)
        co_return probe_outcome{false, c ? PQerrorMessage(c.get()) : "out of memory"};
    auto attempt = converse(*c, !what.password_file.empty());
    auto done =
        co_await net::with_deadline(std::move(attempt), what.timeout, "connect to PostgreSQL");
    if (!done) co_return probe_outcome{false, done.error().doing};
    co_return std::move(*done);
}

}  // namespace bevmesh::registrar
