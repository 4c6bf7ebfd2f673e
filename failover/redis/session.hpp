// A connection to one Redis process, for the calls of `server`: answers judged, words checked.
// Internal to failover/redis.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "failover/database/trouble.hpp"
#include "failover/redis/state.hpp"
#include "mesh/redis/connection.hpp"

namespace bevmesh::failover::redis {

using bevmesh::redis::reply;
using boost::asio::awaitable;
using database::done;
using database::trouble;

class session {
public:
    /// Open, and talking to `process` (empty: whatever runs) until `deadline`.
    static awaitable<done<std::unique_ptr<session>>> open(boost::asio::any_io_executor executor,
                                                          bevmesh::redis::settings login,
                                                          std::string process,
                                                          net::steady_point deadline);

    session(std::unique_ptr<bevmesh::redis::connection> c, net::steady_point deadline)
        : connection_(std::move(c)), deadline_(deadline) {}

    /// Refused: another process than `process` answers.
    awaitable<done<void>> must_be(std::string process);
    /// Changes nothing: a lost answer is refused, an error reply too, with its class.
    awaitable<done<reply>> ask(std::vector<std::string> argv);
    /// Changes something: a lost answer is unknown.
    awaitable<done<reply>> change(std::vector<std::string> argv);
    awaitable<done<server_state>> state();
    /// By ROLE; where it follows, whom.
    awaitable<done<void>> must_be_primary();
    awaitable<done<void>> must_follow(address upstream);

    [[nodiscard]] trouble refused(condition why, std::string const& what) const;
    /// Nothing is awaited on it: it serves for another call.
    [[nodiscard]] bool whole() const noexcept { return !asked_; }
    [[nodiscard]] net::steady_point deadline() const noexcept { return deadline_; }
    /// For what is asked from now on.
    void set_deadline(net::steady_point until) noexcept { deadline_ = until; }

private:
    awaitable<done<reply>> exchange(std::vector<std::string> argv, bool changes);

    std::unique_ptr<bevmesh::redis::connection> connection_;
    net::steady_point deadline_;
    bool asked_ = false;  // and not answered; for ever, where the answer did not come
};

/// argv, written at the call: no braces in a co_await.
template <class... Words>
[[nodiscard]] std::vector<std::string> words(Words&&... each) {
    std::vector<std::string> argv;
    (argv.emplace_back(std::forward<Words>(each)), ...);
    return argv;
}

}  // namespace bevmesh::failover::redis
