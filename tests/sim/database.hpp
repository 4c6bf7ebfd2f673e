// A database of the simulated group: its log of writes, its history, and how it can die.
//
// Positions are lengths of the log. PostgreSQL's survives the process; a Redis that is started anew
// has another run_id and what was on disk. Both start boot-fenced, as replicas.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "failover/action.hpp"
#include "tests/sim/queue.hpp"

namespace bevmesh::sim {

using write_id = std::uint32_t;

struct pending_write {
    write_id id;
    std::size_t end;  // length of the log with it
};

struct database {
    bool running = false;
    bool frozen = false;
    bool primary = false;
    bool paused = false;  // CLIENT PAUSE WRITE
    bool disk_full = false;
    bool slow_stream = false;
    bool proved = false;  // a write went through since its promotion
    std::string process;
    std::string upstream;  // empty: a dead address
    bool streaming = false;
    ticks stream_heard = 0;
    failover::history history;
    std::vector<write_id> log;
    std::size_t on_disk = 0;  // Redis: what a crash leaves
    failover::gate_setting gate;
    std::vector<pending_write> pending;               // PostgreSQL: wait for the gate
    std::map<std::string, std::size_t> acknowledged;  // primary: what each replica has flushed
    std::map<std::string, ticks> heard;               // primary: when each replica last said so

    /// Takes a write at this instant, as far as the process itself is concerned.
    [[nodiscard]] bool open() const {
        return running && !frozen && primary && !paused && !disk_full;
    }
    void die(bool keeps_all);
};

/// `replica`'s whole log is a beginning of `of`'s.
[[nodiscard]] bool is_part(std::vector<write_id> const& replica, std::vector<write_id> const& of);

}  // namespace bevmesh::sim
