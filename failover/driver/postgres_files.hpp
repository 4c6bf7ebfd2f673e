// The data directory of a PostgreSQL that does not run: looked at and fenced by this process, and
// worked on by the server's own programs, run in its place (housing::run).
//
// The directory has two names: the one on the node, and the one that the server knows it by, which
// stands in its arguments (-D), in PGDATA, or is the same.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "failover/driver/housing.hpp"
#include "failover/postgres/control.hpp"

namespace bevmesh::failover {

struct postgres_places {
    std::string bin;   // empty: on the PATH
    std::string data;  // empty: not told

    friend bool operator==(postgres_places const&, postgres_places const&) = default;
};

class postgres_files {
public:
    /// `house` must outlive it. `mark`: a file of the daemon's own, see set_mark.
    postgres_files(housing& house, std::string data_dir, std::string quarantine_dir,
                   std::string mark)
        : house_(house),
          data_(std::move(data_dir)),
          quarantine_(std::move(quarantine_dir)),
          mark_(std::move(mark)) {}

    struct facts {
        bool empty = false;
        bool half_made = false;  // a rewind or a base backup did not end: never to be started
        std::string objection;   // against starting or filling it; empty: none
    };
    awaitable<result<facts>> look();
    /// As postgres::may_be_replaced.
    awaitable<result<void>> may_be_replaced();
    /// From here to end_remaking it is half made, also for the daemon's next life.
    awaitable<result<void>> begin_remaking();
    /// Boot-fenced, and whole.
    awaitable<result<void>> end_remaking();
    awaitable<result<void>> make_boot_fenced();
    awaitable<result<void>> write_settings(std::map<std::string, secret> settings);
    awaitable<result<postgres::control_data>> control(secret password, milliseconds limit);
    /// Between begin_remaking and end_remaking. A server that was killed is recovered first.
    awaitable<result<void>> rewind(std::string upstream, secret password, milliseconds limit);
    /// Into the empty directory, between the same.
    awaitable<result<void>> base_backup(std::string upstream, std::string slot, secret password,
                                        milliseconds limit);
    /// The WAL since `fork`, under this name.
    awaitable<result<void>> quarantine(std::uint32_t timeline, position fork, std::string name);
    /// Removes what is in the directory. Only between the same, after a quarantine.
    awaitable<result<void>> clear();

private:
    awaitable<result<postgres_places>> where();
    /// Whom the server's files belong to, and its programs run as: numeric.
    awaitable<result<std::string>> server_user();
    awaitable<result<std::string>> run(std::vector<std::string> argv, secret password,
                                       milliseconds limit);
    awaitable<result<void>> on_disk(std::function<result<void>()> job);

    housing& house_;
    std::string data_;
    std::string quarantine_;
    std::string mark_;
    std::string user_;  // asked once
    boost::asio::thread_pool pool_{1};
};

/// Where a server's programs and data are, as it sees them, out of what it is started with.
/// errc::bad_input: that is no postgres. Pure.
[[nodiscard]] result<postgres_places> places_in(launch const& how);

}  // namespace bevmesh::failover
