// The data directory of a PostgreSQL that does not run: looked at and fenced by this process, and
// worked on by the server's own programs, run in its place (housing::run).
//
// The directory has two names: the one on the node, and the one that the server knows it by, which
// stands in its arguments (-D) or is the same.
#pragma once

#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "failover/driver/housing.hpp"
#include "failover/postgres/control.hpp"

namespace bevmesh::failover {

class postgres_files {
public:
    /// `house` must outlive it.
    postgres_files(housing& house, std::string data_dir, std::string quarantine_dir)
        : house_(house), data_(std::move(data_dir)), quarantine_(std::move(quarantine_dir)) {}

    struct facts {
        bool empty = false;
        std::string objection;  // against starting or filling it; empty: none
    };
    awaitable<result<facts>> look();
    awaitable<result<void>> make_boot_fenced();
    awaitable<result<void>> write_settings(std::map<std::string, secret> settings);
    awaitable<result<postgres::control_data>> control(secret password, milliseconds limit);
    awaitable<result<void>> rewind(std::string upstream, secret password, milliseconds limit);
    /// Into the empty directory.
    awaitable<result<void>> base_backup(std::string upstream, std::string slot, secret password,
                                        milliseconds limit);
    /// The WAL since `fork`, under this name.
    awaitable<result<void>> quarantine(std::uint32_t timeline, position fork, std::string name);
    /// Removes what is in the directory. Only after a quarantine.
    awaitable<result<void>> clear();

private:
    struct place {
        std::string bin;   // directory of the server's programs
        std::string data;  // the directory, as they know it
    };
    awaitable<result<place>> where();

    housing& house_;
    std::string data_;
    std::string quarantine_;
    boost::asio::thread_pool pool_{1};
};

/// Directory of the programs and of the data, out of the server's arguments. Pure.
[[nodiscard]] std::pair<std::string, std::string> places_in(std::vector<std::string> const& argv);

}  // namespace bevmesh::failover
