// The daemon's side of its guard: typed calls over one connection, each within a limit.
//
// A refusal is an answer with its verdict; a failure says that the guard did not answer, and then a
// daemon has no live guard and may hold no lease. After a failure the connection is closed: hello()
// makes a new one. Calls wait for each other in order.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::guard {

using boost::asio::awaitable;

/// What a guard says of itself with every answer.
struct status {
    verdict said = verdict::done;
    std::string guard_id;  // new with each start of a guard
    std::string group;
    guard::phase phase = guard::phase::idle;
    death cause = death::none;
    victim_id victim;
    instant now{};
    instant deadline{};  // valid_until, as the daemon said; the kill is a margin earlier
    nanoseconds margin{};
    std::optional<instant> struck;
    std::optional<instant> dead;
    std::string blob;       // the daemon's, at most blob_size_max bytes
    bool restored = false;  // the guard took over from one that died

    [[nodiscard]] bool done() const noexcept { return said == verdict::done; }
};

/// valid_until and how long before it the process must be dead.
struct lease_end {
    instant valid_until{};
    nanoseconds margin{};
    /// extend() only: may move the deadline back (a longer term is replaced by an ordinary one).
    bool shorten = false;
};

class client {
public:
    virtual ~client() = default;

    /// Connects and is the daemon from now on; an older one's connection is dropped. The answer
    /// tells what the guard holds, the blob included, for a daemon that comes back.
    virtual awaitable<result<status>> hello() = 0;
    /// `pidfd` -1: the guard opens the pid itself, and checks it against the start time.
    virtual awaitable<result<status>> arm(victim_id who, int pidfd, lease_end until,
                                          std::optional<std::string> blob) = 0;
    virtual awaitable<result<status>> extend(lease_end until, std::optional<std::string> blob) = 0;
    virtual awaitable<result<status>> forget(std::optional<std::string> blob) = 0;
    /// Kills now and waits, up to `limit`, for the death: `phase` is dead then. errc::timed_out: it
    /// was struck and has not died.
    virtual awaitable<result<status>> fence(milliseconds limit) = 0;
    virtual awaitable<result<status>> ask() = 0;

    [[nodiscard]] virtual bool connected() const noexcept = 0;
    virtual void close() noexcept = 0;
};

/// `limit` (F) bounds every exchange.
[[nodiscard]] std::unique_ptr<client> make_client(boost::asio::any_io_executor executor,
                                                  std::string socket, milliseconds limit);

/// Waits for the end of the process behind a pidfd (which stays the caller's): within a millisecond
/// of it, without asking anybody.
[[nodiscard]] awaitable<void> process_end(int pidfd);

}  // namespace bevmesh::failover::guard
