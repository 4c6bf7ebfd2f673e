// A connection to one postmaster, for the calls of `server`: answers judged. Internal to
// failover/postgres.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "failover/database/trouble.hpp"
#include "failover/postgres/state.hpp"
#include "mesh/postgres/connection.hpp"

namespace bevmesh::failover::postgres {

using bevmesh::postgres::answer;
using boost::asio::awaitable;
using database::done;
using database::trouble;

class session {
public:
    /// Open, and talking to `process` (empty: whatever runs) until `deadline`.
    static awaitable<done<std::unique_ptr<session>>> open(boost::asio::any_io_executor executor,
                                                          bevmesh::postgres::settings login,
                                                          std::string process,
                                                          net::steady_point deadline);

    session(std::unique_ptr<bevmesh::postgres::connection> c, net::steady_point deadline)
        : connection_(std::move(c)), deadline_(deadline) {}

    /// Refused: another process than `process` answers.
    awaitable<done<void>> must_be(std::string process);
    /// Changes nothing: no answer is refused, an error too, with its class.
    awaitable<done<answer>> ask(std::string statement,
                                std::vector<std::string> parameters = std::vector<std::string>());
    /// Changes something: no answer, and an end of the server, are unknown.
    awaitable<done<answer>> change(
        std::string statement, std::vector<std::string> parameters = std::vector<std::string>());
    awaitable<done<server_state>> state();
    /// ALTER SYSTEM, reload, and a look until this backend sees the value.
    awaitable<done<void>> set(std::string name, std::string value);

    /// After a change: until `sql` says `value`. Whether it comes to that is unknown until then.
    awaitable<done<void>> until_says(std::string sql, std::string value, milliseconds pace);

    [[nodiscard]] trouble refused(condition why, std::string const& what) const;
    /// Nothing is awaited on it: it serves for another call.
    [[nodiscard]] bool whole() const noexcept { return !asked_; }
    [[nodiscard]] net::steady_point deadline() const noexcept { return deadline_; }
    /// For what is asked from now on.
    void set_deadline(net::steady_point until) noexcept { deadline_ = until; }
    [[nodiscard]] int backend() const noexcept { return connection_->backend(); }

private:
    awaitable<done<answer>> exchange(std::string statement, std::vector<std::string> parameters,
                                     bool changes);

    std::unique_ptr<bevmesh::postgres::connection> connection_;
    net::steady_point deadline_;
    bool asked_ = false;  // and not answered; for ever, where the answer did not come
};

/// One parameter, written at the call: no braces in a co_await.
[[nodiscard]] inline std::vector<std::string> one(std::string parameter) {
    return std::vector<std::string>(1, std::move(parameter));
}

}  // namespace bevmesh::failover::postgres
