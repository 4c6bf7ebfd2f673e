#include "tests/sim/settings.hpp"

namespace bevmesh::sim {

using namespace failover;

settings draw(std::uint64_t seed, fault fault) {
    dice d(seed * 7919 + 17);
    settings s;
    s.seed = seed;
    s.fault = fault;
    auto const which = d.below(10);
    s.profile = which < 5 ? "lan" : which < 8 ? "tailnet" : "wan";
    if (fault == fault::old_wan_numbers || fault == fault::counted_from_receipt) s.profile = "wan";
    s.timing = *profile(s.profile);
    if (fault == fault::old_wan_numbers) s.timing.observer = seconds(10);
    auto const size = d.below(10);
    s.nodes = size < 5 ? 2 : size < 8 ? 3 : size < 9 ? 4 : 5;
    // A round needs two others that can be reached by turns.
    if (fault == fault::mixed_rounds && s.nodes == 2) s.nodes = 3;
    s.kind = d.percent(40) ? kind::redis : kind::postgres;
    auto const mode = d.below(10);
    s.sync = mode < 6 ? sync_mode::on : mode < 8 ? sync_mode::strict : sync_mode::off;
    s.loss = d.percent(50) ? 0 : static_cast<unsigned>(d.below(120));
    s.duplicates = d.percent(50) ? 0 : static_cast<unsigned>(d.below(100));
    s.slow = d.percent(40) ? 0 : static_cast<unsigned>(d.below(80));
    s.episodes = 2 + static_cast<unsigned>(d.below(7));
    s.extreme_clocks =
        d.percent(60) || fault == fault::observer_waits_lease || fault == fault::old_wan_numbers;
    if (fault == fault::observer_waits_lease || fault == fault::mixed_rounds) {
        s.loss = s.duplicates = s.slow = 0;
    }
    // What counts is how long an answer is under way, and most beside a long R.
    if (fault == fault::counted_from_receipt) {
        s.extreme_clocks = true;
        s.slow = 250;
    }
    // A gate by what was read last loses where two may be in sync, and reads lag.
    if (fault == fault::relax_on_read) {
        s.nodes = 3;
        s.kind = kind::postgres;
        s.sync = sync_mode::on;
        s.slow = 200;
        s.episodes = 16;
    }
    // One that moves again and again, while the other may take at once.
    if (fault == fault::release_before_fence) {
        s.nodes = 2;
        s.loss = 0;
        s.episodes = 12;
    }
    // A database that dies in a takeover and comes back in its place, again and again.
    if (fault == fault::promote_any_process) s.episodes = 16;
    s.failback = d.percent(20);
    s.outage_only = d.percent(4);
    s.restore_only = !s.outage_only && d.percent(fault == fault::ownership_by_name ? 60 : 8);
    if (s.restore_only) {
        s.loss = s.duplicates = s.slow = 0;
        s.episodes = 1;
        s.failback = false;
    }
    if (s.outage_only) {
        s.loss = s.duplicates = s.slow = 0;
        s.failback = false;
    }
    return s;
}

std::string describe(settings const& s) {
    auto const sync = s.sync == sync_mode::on       ? "on"
                      : s.sync == sync_mode::strict ? "strict"
                                                    : "off";
    return std::to_string(s.nodes) + " nodes, " + s.profile + ", " +
           (s.kind == kind::redis ? "redis" : "postgres") + ", synchronous " + sync + ", loss " +
           std::to_string(s.loss) + ", duplicates " + std::to_string(s.duplicates) + ", slow " +
           std::to_string(s.slow) + " per mille, " + std::to_string(s.episodes) + " faults" +
           (s.fault == fault::none ? "" : ", broken: " + std::string(name(s.fault)));
}

}  // namespace bevmesh::sim
