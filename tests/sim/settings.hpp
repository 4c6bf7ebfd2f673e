// What one seed is about: drawn once, printed when it fails.
#pragma once

#include <string>

#include "failover/policy.hpp"
#include "tests/sim/queue.hpp"

namespace bevmesh::sim {

struct settings {
    std::uint64_t seed = 0;
    std::string profile;
    failover::timing timing;
    unsigned nodes = 2;
    failover::kind kind = failover::kind::redis;
    failover::sync_mode sync = failover::sync_mode::on;
    failover::fault fault = failover::fault::none;
    unsigned loss = 0;        // per mille of messages
    unsigned duplicates = 0;  // per mille
    unsigned slow = 0;        // per mille of messages take about R
    unsigned episodes = 0;    // faults in the safety phase
    bool extreme_clocks = false;
    bool failback = false;
    bool restore_only = false;  // an operator restores Consul, and nothing else goes wrong
    bool outage_only = false;   // nothing but Consul fails: nothing may stop
    bool trace = false;

    [[nodiscard]] ticks unit() const { return timing.observer.count(); }  // O
};

[[nodiscard]] settings draw(std::uint64_t seed, failover::fault fault);
[[nodiscard]] std::string describe(settings const& s);

}  // namespace bevmesh::sim
