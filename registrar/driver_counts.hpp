// What the registrar's driver has done so far: for metrics, never for a decision.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "mesh/base/time.hpp"

namespace bevmesh::registrar {

/// How often something took at most so long.
struct latency_counts {
    /// Upper bounds in seconds; what is above the last one is in the last of `counts`.
    static constexpr std::array bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0};
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    double sum = 0;  // seconds

    void add(nanoseconds took);
};

/// Full lists of one side.
struct comparison_counts {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    nanoseconds last_took{0};
    std::chrono::sys_seconds last_done{};  // zero: never
};

struct driver_counts {
    std::uint64_t events = 0;   // of the engine, that were acted on
    std::uint64_t streams = 0;  // times that the engine's events were subscribed to
    latency_counts event_lag;   // from the engine's time of an event to its arrival here
    comparison_counts engine;
    comparison_counts agent;
    std::uint64_t engine_errors = 0;  // calls that failed, but for "not found"
    std::uint64_t agent_errors = 0;
    std::map<std::string, std::uint64_t> failed_writes;  // by kind, but for "not found"
    /// Of the agent's services' checks, by state, when it was listed last.
    std::map<std::string, std::uint64_t> checks;
};

}  // namespace bevmesh::registrar
