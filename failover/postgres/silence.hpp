// A standby whose connection is up and over which nothing comes.
//
// pg_stat_replication calls it streaming until wal_sender_timeout (60 s), and commits wait for it.
// Its reply_time is of the standby's own clock. What counts is that it gets the WAL that is there:
// the probe's write makes some each time. Pure.
#pragma once

#include <map>
#include <string>

#include "failover/facts.hpp"

namespace bevmesh::failover::postgres {

class silence {
public:
    /// A primary's replicas that lack WAL, and have flushed none for `patience`, stream no longer.
    void judge(database_facts& facts, instant now, nanoseconds patience);

private:
    struct hearing {
        position flushed = 0;
        instant at{};
    };
    std::map<std::string, hearing> heard_;
};

}  // namespace bevmesh::failover::postgres
