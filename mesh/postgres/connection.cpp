#include "mesh/postgres/connection.hpp"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/postgres/library.hpp"

namespace bevmesh::postgres {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using handle = std::unique_ptr<PGconn, decltype(library::PQfinish)>;
using result_handle = std::unique_ptr<PGresult, decltype(library::PQclear)>;

bool is_literal(std::string const& host) {
    return host.find_first_not_of("0123456789.") == std::string::npos ||
           host.find(':') != std::string::npos;
}

std::string one_line(char const* message) {
    std::string text = message == nullptr ? "" : message;
    while (text.ends_with('\n'))
        text.pop_back();
    for (auto& c : text)
        if (c == '\n') c = ' ';
    return text;
}

handle start(library const& pq, settings const& how) {
    auto const port = std::to_string(how.port);
    std::string const password(how.password.reveal());
    std::vector<char const*> keys;
    std::vector<char const*> values;
    auto const put = [&](char const* key, std::string const& value) {
        if (value.empty()) return;
        keys.push_back(key);
        values.push_back(value.c_str());
    };
    put("host", how.host);
    // Keeps libpq from a blocking name resolution; `host` is what the certificate must be for.
    if (is_literal(how.host)) put("hostaddr", how.host);
    put("port", port);
    put("user", how.user);
    put("dbname", how.database);
    put("password", password);
    put("sslmode", how.ssl_mode);
    put("sslrootcert", how.ssl_root_cert);
    put("sslcert", how.ssl_cert);
    put("sslkey", how.ssl_key);
    put("application_name", how.application);
    keys.push_back(nullptr);
    values.push_back(nullptr);
    return {pq.PQconnectStartParams(keys.data(), values.data(), 0), pq.PQfinish};
}

/// libpq has no SQLSTATE for a connection that failed: its text tells.
errc refusal(library const& pq, PGconn const& c) {
    std::string_view const text = pq.PQerrorMessage(&c);
    auto const says = [&](std::string_view words) {
        return text.find(words) != std::string_view::npos;
    };
    if (says("the database system is")) return errc::remote_error;
    if (says("certificate file \"") || says("private key file \"")) return errc::local_error;
    if (pq.PQconnectionNeedsPassword(&c) != 0 || says("authentication") || says("pg_hba.conf") ||
        says("role \""))
        return errc::forbidden;
    if (says("database \"")) return errc::not_found;
    return pq.PQprotocolVersion(&c) >= 3 || says("FATAL:") ? errc::conflict : errc::unreachable;
}

class libpq_connection final : public connection {
public:
    libpq_connection(asio::any_io_executor executor, settings how)
        : executor_(std::move(executor)),
          how_(std::move(how)),
          name_(how_.host + ":" + std::to_string(how_.port)),
          connection_(nullptr, nullptr),
          socket_(executor_) {}

    awaitable<result<void>> open(net::steady_point deadline) override;
    awaitable<result<answer>> query(std::string statement, std::vector<std::string> parameters,
                                    net::steady_point deadline) override;
    int backend() const noexcept override {
        return connection_ ? pq_->PQbackendPID(connection_.get()) : 0;
    }
    void close() noexcept override {
        boost::system::error_code ignored;
        socket_.close(ignored);
        closed_ = true;
    }
    std::string const& name() const noexcept override { return name_; }

private:
    awaitable<bool> wait(stream_descriptor::wait_type what);
    awaitable<bool> flush();
    awaitable<bool> receive(answer& into);
    void take(PGresult const& from, answer& into) const;
    failure trouble(errc code, std::string const& why) const {
        return {code, "PostgreSQL at " + name_ + ": " + why};
    }

    asio::any_io_executor executor_;
    settings how_;
    std::string name_;
    library const* pq_ = nullptr;  // from the first open on
    handle connection_;
    stream_descriptor socket_;  // a duplicate of libpq's, which may change while it connects
    bool closed_ = false;
    std::string warning_;
};

awaitable<bool> libpq_connection::wait(stream_descriptor::wait_type what) {
    if (closed_ || pq_->PQsocket(connection_.get()) < 0) co_return false;
    boost::system::error_code error;
    if (socket_.is_open()) socket_.close(error);
    socket_.assign(::dup(pq_->PQsocket(connection_.get())), error);
    if (!error) co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
    co_return !error && !closed_;
}

awaitable<result<void>> libpq_connection::open(net::steady_point deadline) {
    auto const loaded = load_library();
    if (!loaded) co_return loaded.error();
    pq_ = *loaded;
    closed_ = false;
    connection_ = start(*pq_, how_);
    if (!connection_) co_return trouble(errc::local_error, "out of memory");
    bool expired = false;
    net::watchdog limit(executor_, deadline, [this, &expired] {
        expired = true;
        close();
    });
    auto state = pq_->PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                                    : PGRES_POLLING_WRITING;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        auto const direction = state == PGRES_POLLING_READING ? stream_descriptor::wait_read
                                                              : stream_descriptor::wait_write;
        auto const ready = co_await wait(direction);
        if (!ready) break;
        state = pq_->PQconnectPoll(connection_.get());
    }
    limit.disarm();
    if (expired) co_return trouble(errc::timed_out, "connect: no answer in time");
    if (closed_) co_return trouble(errc::canceled, "connect: given up");
    if (state != PGRES_POLLING_OK)
        co_return trouble(refusal(*pq_, *connection_),
                          one_line(pq_->PQerrorMessage(connection_.get())));
    pq_->PQsetnonblocking(connection_.get(), 1);
    pq_->PQsetNoticeReceiver(
        connection_.get(),
        [](void* into, PGresult const* notice) {
            auto& self = *static_cast<libpq_connection*>(into);
            self.warning_ = one_line(self.pq_->PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
        },
        this);
    co_return result<void>();
}

awaitable<bool> libpq_connection::flush() {
    for (;;) {
        auto const left = pq_->PQflush(connection_.get());
        if (left == 0) co_return true;
        if (left < 0) co_return false;
        auto const ready = co_await wait(stream_descriptor::wait_write);
        if (!ready) co_return false;
    }
}

void libpq_connection::take(PGresult const& from, answer& into) const {
    auto const* const raw = &from;
    auto const status = pq_->PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        into.error = one_line(pq_->PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY));
        into.sqlstate = one_line(pq_->PQresultErrorField(raw, PG_DIAG_SQLSTATE));
        if (into.error.empty()) into.error = one_line(pq_->PQresultErrorMessage(raw));
        return;
    }
    for (int row = 0; row < pq_->PQntuples(raw); ++row) {
        auto& values = into.rows.emplace_back();
        for (int column = 0; column < pq_->PQnfields(raw); ++column) {
            auto& value = values.emplace_back();
            if (pq_->PQgetisnull(raw, row, column) == 0)
                value.emplace(pq_->PQgetvalue(raw, row, column),
                              static_cast<std::size_t>(pq_->PQgetlength(raw, row, column)));
        }
    }
}

awaitable<bool> libpq_connection::receive(answer& into) {
    for (;;) {
        while (pq_->PQisBusy(connection_.get()) != 0) {
            auto const ready = co_await wait(stream_descriptor::wait_read);
            if (!ready || pq_->PQconsumeInput(connection_.get()) == 0) co_return false;
        }
        result_handle const one(pq_->PQgetResult(connection_.get()), pq_->PQclear);
        if (!one) co_return pq_->PQstatus(connection_.get()) == CONNECTION_OK;
        take(*one, into);
    }
}

awaitable<result<answer>> libpq_connection::query(std::string statement,
                                                  std::vector<std::string> parameters,
                                                  net::steady_point deadline) {
    if (!connection_ || closed_) co_return trouble(errc::unreachable, "not connected");
    bool expired = false;
    net::watchdog limit(executor_, deadline, [this, &expired] {
        expired = true;
        close();
    });
    std::vector<char const*> values;
    for (auto const& one : parameters)
        values.push_back(one.c_str());
    warning_.clear();
    bool sent = pq_->PQsendQueryParams(connection_.get(), statement.c_str(),
                                       static_cast<int>(values.size()), nullptr, values.data(),
                                       nullptr, nullptr, 0) == 1;
    if (sent) sent = co_await flush();
    answer got;
    bool whole = false;
    if (sent) whole = co_await receive(got);
    limit.disarm();
    if (expired) co_return trouble(errc::timed_out, "no answer in time");
    // A FATAL (57P01, the server is stopped) comes as an error, and the connection ends with it.
    if (!whole && got.error.empty())
        co_return trouble(closed_ ? errc::canceled : errc::truncated,
                          one_line(pq_->PQerrorMessage(connection_.get())));
    got.warning = warning_;
    co_return got;
}

}  // namespace

std::string answer::value() const {
    if (rows.empty() || rows.front().empty()) return {};
    return rows.front().front().value_or(std::string());
}

std::unique_ptr<connection> make_connection(asio::any_io_executor executor, settings how) {
    return std::make_unique<libpq_connection>(std::move(executor), std::move(how));
}

result<void> check_library() {
    auto const loaded = load_library();
    if (loaded.has_error()) return loaded.error();
    return {};
}

std::string quote_parameter(std::string_view value) {
    std::string quoted = "'";
    for (char const c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace bevmesh::postgres
