// What failover does to one Redis server: one call each, on a connection of its own, in a limit;
// looks have one for a few seconds.
//
// No policy and no order between calls: those are the core's. A call that changes something and
// names a process looks at run_id on the connection that it then uses, so that what was started
// meanwhile is never changed. Every change is read back. No call writes the configuration file
// (CONFIG REWRITE): what is on disk never says primary. FAILOVER TO is not used: with its answer
// lost, 7.0.15's old primary takes itself back while the target is promoted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "failover/database/trouble.hpp"
#include "failover/redis/state.hpp"
#include "mesh/redis/connection.hpp"

namespace bevmesh::failover::redis {

using boost::asio::awaitable;
using database::done;

struct server_options {
    /// Asked before each connection: its files may be others by then.
    std::function<bevmesh::redis::settings()> login;
    /// What replicas log in to their primary with, where `login` has a password: the same one.
    bool set_replica_login = true;
    /// How the others reach this server, where that is not what it sees of itself (a container).
    std::optional<address> announce;
    address nowhere{"127.0.0.1", 1};  // where nobody listens: who follows it takes no writes
};

class server {
public:
    virtual ~server() = default;

    /// Refused with its class when it answers no INFO: refused, hung, loading, busy,
    /// bad_credentials.
    virtual awaitable<done<server_state>> probe(milliseconds limit) = 0;
    /// SET of a key that expires, `bevmesh:probe`. why: write_fails (READONLY, MISCONF, OOM,
    /// NOREPLICAS), busy, loading, hung.
    virtual awaitable<done<void>> prove(std::string process, milliseconds limit) = 0;

    /// min-replicas-to-write and min-replicas-max-lag (seconds), at once and read back; then the
    /// position.
    virtual awaitable<done<position>> set_gate(std::string process, unsigned count, unsigned lag,
                                               milliseconds limit) = 0;
    /// No write from now on: writes paused, then a replica of `upstream` or of nowhere, then all
    /// clients cut off. A script that runs is killed if it has written nothing; else why is busy,
    /// and only SIGKILL helps. An empty `process` is whatever runs. With an `upstream` that lacks
    /// writes of this server they are lost: name one only after a drain.
    virtual awaitable<done<void>> demote(std::string process, std::optional<address> upstream,
                                         milliseconds limit) = 0;
    /// The gate first, then REPLICAOF NO ONE, unless `not_after` has come. Refused while it loads
    /// or receives a full sync: it holds no whole data.
    virtual awaitable<done<void>> promote(std::string process, instant not_after, unsigned gate,
                                          unsigned lag, milliseconds limit) = 0;
    /// A replica stops following, and keeps position and history: REPLICAOF nowhere.
    virtual awaitable<done<void>> end_stream(std::string process, milliseconds limit) = 0;
    /// A replica, or a server without a key, follows `upstream`; `upstream_login` is to look at it
    /// first. Refused with `diverged` when it holds what the upstream lacks.
    virtual awaitable<done<void>> follow(std::string process, address upstream,
                                         bevmesh::redis::settings upstream_login,
                                         milliseconds limit) = 0;
    /// After a quarantine: follows without the look.
    virtual awaitable<done<void>> resync(std::string process, address upstream,
                                         milliseconds limit) = 0;

    /// CLIENT PAUSE WRITE, then the position that `target` must reach, looked at directly, within
    /// `limit`. The pause ends by itself after `hold`, when nobody fences or resumes. Refused, and
    /// unpaused: it did not get there.
    virtual awaitable<done<position>> drain(std::string process, bevmesh::redis::settings target,
                                            milliseconds limit, milliseconds hold) = 0;
    virtual awaitable<done<void>> resume_writes(std::string process, milliseconds limit) = 0;

    /// BGSAVE, and wait for its good end: what is in memory is in the RDB file then.
    virtual awaitable<done<server_state>> save(std::string process, milliseconds limit) = 0;
};

[[nodiscard]] std::unique_ptr<server> make_server(boost::asio::any_io_executor executor,
                                                  server_options options);

}  // namespace bevmesh::failover::redis
