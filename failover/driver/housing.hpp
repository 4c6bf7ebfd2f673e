// Where a database's process lives: a container or a unit of this node, started, watched and killed
// whole. Knows nothing of the database's protocol.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::failover {

using boost::asio::awaitable;

/// A process that is meant: its pid as the guard is told it, held so that it cannot come to be
/// another.
struct running {
    std::string where;  // the container's id, or the unit
    guard::victim_id victim;
    std::shared_ptr<descriptor> pidfd;
    std::vector<std::string> argv;     // what it was started with; empty: not known
    bool restarted_by_others = false;  // when it ends, by the engine

    [[nodiscard]] bool alive() const { return pidfd && !guard::has_ended(pidfd->get()); }
};

/// What a database is started with.
struct launch {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // NAME=value
};

class housing {
public:
    virtual ~housing() = default;

    /// errc::not_found: nothing runs.
    virtual awaitable<result<running>> look() = 0;
    /// Success when it runs already.
    virtual awaitable<result<void>> start() = 0;
    /// SIGKILL to all of it, and reaped within `limit`; success when nothing runs. errc::timed_out:
    /// it was struck and has not died.
    virtual awaitable<result<void>> kill(milliseconds limit) = 0;
    /// To its first process: "INT". Success says that it was sent.
    virtual awaitable<result<void>> signal(std::string name) = 0;
    /// Runs a program of the database's own installation to its end, beside the database or in its
    /// place, with its files and network; what it wrote. `user`: empty for the database's own.
    /// `password`: as PGPASSWORD. A status other than 0 is remote_error with its last words; after
    /// `limit` it is killed: timed_out.
    virtual awaitable<result<std::string>> run(std::vector<std::string> argv, std::string user,
                                               secret password, milliseconds limit) = 0;
    /// What it was, or would be, started with.
    virtual awaitable<result<launch>> launched() = 0;
    /// A file as the database sees it.
    virtual awaitable<result<std::string>> read_file(std::string path) = 0;
    /// For people: "container redis", "unit postgresql@15-main".
    [[nodiscard]] virtual std::string const& name() const noexcept = 0;
};

}  // namespace bevmesh::failover
