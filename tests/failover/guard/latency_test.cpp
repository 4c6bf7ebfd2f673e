// How late a guard kills: prints the distribution, and holds the worst against K of FAILOVER.md's
// default profile. Once on an idle machine, once with more busy processes than it has cores. When
// the victim is seen dead is only printed: it dies when it is given the CPU.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"
#include "tests/failover/guard/processes.hpp"

namespace {

using namespace bevmesh;
using namespace bevmesh::testing;
namespace guard = failover::guard;

void print(char const* what, std::vector<double> values) {
    std::ranges::sort(values);
    auto const at = [&](double share) {
        return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    };
    std::printf("  %-26s p50 %7.0f  p90 %7.0f  p99 %7.0f  max %7.0f us\n", what, at(0.5), at(0.9),
                at(0.99), values.back());
}

void measure(char const* condition, int runs) {
    scratch const where;
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    REQUIRE(exchange(daemon, ask_for(guard::verb::hello)).said == guard::verdict::done);
    auto const term = milliseconds(15);
    std::vector<double> struck;
    std::vector<double> dead;
    std::vector<double> answered;
    for (int i = 0; i < runs; ++i) {
        child const database(sleep_for_ever);
        auto const r = arm_briefly(daemon, identity(database.pid()), term);
        auto const asked = guard::to_instant(r.term.deadline_ns) - term;
        answered.push_back(static_cast<double>((net::now() - asked).count()) / 1e3);
        auto const end = until_dead(daemon);
        struck.push_back(static_cast<double>(end.struck_ns - r.term.deadline_ns) / 1e3);
        dead.push_back(static_cast<double>(end.dead_ns - r.term.deadline_ns) / 1e3);
    }
    auto const now = exchange(daemon, ask_for(guard::verb::status));
    std::printf("%s, %d runs, %s priority, %lu KiB locked\n", condition, runs,
                now.realtime != 0 ? "real-time" : "ordinary", now.locked_bytes / 1024);
    print("arm, answered", answered);
    print("deadline to SIGKILL", struck);
    print("deadline to seen dead", dead);
    CHECK(std::ranges::max(struck) < 200'000);
}

TEST_CASE("From the deadline to the kill it takes less than K, on a busy machine too") {
    measure("idle", 60);
    std::vector<std::unique_ptr<child>> load;
    for (unsigned i = 0; i < 4 * std::thread::hardware_concurrency(); ++i)
        load.push_back(std::make_unique<child>([] {
            for (;;)
                ::getppid();
        }));
    measure("busy", 60);
}

}  // namespace
