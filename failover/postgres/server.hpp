// What failover does to one PostgreSQL server: one call each, in a limit, on a connection that is
// its own for the call and stands for a few seconds.
//
// No policy and no order between calls: those are the core's. A call that changes something and
// names a process looks at the postmaster's start on the connection that it then uses. Settings are
// changed by ALTER SYSTEM and a reload, never by a restart, and read back. The user needs to be a
// superuser, as ALTER SYSTEM does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "failover/database/trouble.hpp"
#include "failover/postgres/state.hpp"
#include "mesh/postgres/connection.hpp"

namespace bevmesh::failover::postgres {

using boost::asio::awaitable;
using database::done;

/// How a standby of this node connects to its upstream.
struct replication_login {
    std::string user = "postgres";
    std::string
        pass_file;  // libpq's, as the server sees it; empty: `password` goes into the setting
    secret password;
    std::string ssl_mode;
    // Files as the server sees them.
    std::string ssl_root_cert;
    std::string ssl_cert;
    std::string ssl_key;
};

struct server_options {
    /// Asked before each connection: its files may be others by then.
    std::function<bevmesh::postgres::settings()> login;
    replication_login replication;
    std::string node;  // application_name of this node's standby
};

class server {
public:
    virtual ~server() = default;

    /// Refused with its class when there is no answer: refused, hung, recovering (starting up, not
    /// yet consistent), bad_credentials.
    virtual awaitable<done<server_state>> probe(milliseconds limit) = 0;
    /// A commit to this server's own disk, without a table: a logical message. It does not wait for
    /// the gate, which has its own rules. write_fails: it is a standby, or the disk is full or
    /// hangs.
    virtual awaitable<done<void>> prove(std::string process, milliseconds limit) = 0;

    /// synchronous_standby_names, read back from a backend; the checkpointer, by whose flag commits
    /// wait, is seen at rest after that. Then the position.
    virtual awaitable<done<position>> set_gate(std::string process, gate_setting gate,
                                               milliseconds limit) = 0;
    /// The gate, then pg_promote, unless `not_after` has come, then pg_is_in_recovery() is false.
    /// Refused when it is no standby, or its replay is paused.
    virtual awaitable<done<void>> promote(std::string process, instant not_after, gate_setting gate,
                                          milliseconds limit) = 0;
    virtual awaitable<done<void>> checkpoint(std::string process, milliseconds limit) = 0;
    /// The standby stops following and keeps what it has: primary_conninfo empty, no walreceiver.
    virtual awaitable<done<void>> end_stream(std::string process, milliseconds limit) = 0;
    /// The standby streams from `upstream` by the slot of this node, which is made there, or made
    /// anew when it is lost. Refused with `diverged` when it holds what the upstream lacks, with
    /// `behind` when it lacks WAL that the upstream no longer has (and has no restore_command for
    /// it) after it has used up its own, and with foreign_data when the system identifiers differ.
    virtual awaitable<done<void>> follow(std::string process, address upstream,
                                         bevmesh::postgres::settings upstream_login,
                                         milliseconds limit) = 0;
    /// Waits until a standby, this server, has received WAL past `wanted`.
    virtual awaitable<done<position>> reach(position wanted, milliseconds limit) = 0;
    /// A physical slot on this server that keeps WAL from now on; one that is lost is made anew.
    virtual awaitable<done<void>> make_slot(std::string name, milliseconds limit) = 0;
    /// Drops on a standby alone. A slot that is in use stays, and is no failure.
    virtual awaitable<done<void>> set_slots(std::string process, slot_changes changes,
                                            milliseconds limit) = 0;
};

[[nodiscard]] std::unique_ptr<server> make_server(boost::asio::any_io_executor executor,
                                                  server_options options);

/// primary_conninfo of a standby of `node`. Pure; holds the password where there is no pass file.
[[nodiscard]] secret connection_string(replication_login const& login, address const& upstream,
                                       std::string_view node);

}  // namespace bevmesh::failover::postgres
