// sim: runs seeds and says which one breaks a promise.
//   sim --seeds N [--first-seed S]   every seed from S on; exit 1 at the first violation
//   sim --seed S [--trace]           one seed, with all that happened
//   sim --mutants [N]                each broken rule must be noticed within N seeds (2000)
//   sim --replays N                  N seeds twice: the same history, to the byte
//   ... --fault NAME                 with a rule of the core broken
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/sim/world.hpp"

using namespace bevmesh;

namespace {

struct request {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;
    std::uint64_t mutants = 0;
    std::uint64_t replays = 0;
    bool trace = false;
    bool keep_going = false;
    failover::fault fault = failover::fault::none;
};

failover::fault fault_named(std::string const& name) {
    for (std::size_t i = 0; i < failover::fault_count; ++i) {
        if (failover::name(static_cast<failover::fault>(i)) == name) {
            return static_cast<failover::fault>(i);
        }
    }
    std::fprintf(stderr, "no fault %s\n", name.c_str());
    std::exit(2);
}

void add(sim::tally& sum, sim::tally const& one) {
    sum.writes += one.writes;
    sum.excused += one.excused;
    sum.steps += one.steps;
    sum.promotions += one.promotions;
}

/// Empty: the seed kept every promise.
std::string run_seed(std::uint64_t seed, request const& r, sim::tally& sum, bool quiet) {
    auto settings = sim::draw(seed, r.fault);
    settings.trace = r.trace;
    sim::world w(settings);
    auto const why = w.run();
    add(sum, w.figures());
    if (why.empty() || quiet) return why;
    std::printf("seed %llu: %s\n  %s\n", static_cast<unsigned long long>(seed), why.c_str(),
                sim::describe(settings).c_str());
    for (auto const& line : w.schedule())
        std::printf("  %s\n", line.c_str());
    std::printf("  replay: sim --seed %llu --trace%s%s\n", static_cast<unsigned long long>(seed),
                r.fault == failover::fault::none ? "" : " --fault ",
                r.fault == failover::fault::none ? "" : std::string(name(r.fault)).c_str());
    return why;
}

int run_seeds(request const& r) {
    auto const start = std::chrono::steady_clock::now();
    sim::tally sum;
    std::uint64_t bad = 0;
    for (auto seed = r.first; seed < r.first + r.count; ++seed) {
        if (run_seed(seed, r, sum, false).empty()) continue;
        ++bad;
        if (!r.keep_going) break;
    }
    auto const took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf(
        "%llu seeds from %llu in %.1f s (%.0f a second): %llu steps, %llu promotions, "
        "%llu acknowledged writes checked, %llu lost within Redis' bound, %llu violations\n",
        static_cast<unsigned long long>(r.count), static_cast<unsigned long long>(r.first), took,
        static_cast<double>(r.count) / took, static_cast<unsigned long long>(sum.steps),
        static_cast<unsigned long long>(sum.promotions),
        static_cast<unsigned long long>(sum.writes), static_cast<unsigned long long>(sum.excused),
        static_cast<unsigned long long>(bad));
    return bad == 0 ? 0 : 1;
}

int run_replays(request const& r) {
    for (auto seed = r.first; seed < r.first + r.replays; ++seed) {
        std::uint64_t hashes[2] = {};
        for (auto& hash : hashes) {
            sim::world w(sim::draw(seed, r.fault));
            (void)w.run();
            hash = w.hash();
        }
        if (hashes[0] == hashes[1]) continue;
        std::printf("seed %llu does not replay\n", static_cast<unsigned long long>(seed));
        return 1;
    }
    std::printf("%llu seeds replay exactly\n", static_cast<unsigned long long>(r.replays));
    return 0;
}

int run_mutants(request r) {
    auto missed = 0;
    for (std::size_t i = 1; i < failover::fault_count; ++i) {
        r.fault = static_cast<failover::fault>(i);
        sim::tally sum;
        std::uint64_t seed = 1;
        std::string why;
        for (; seed <= r.mutants; ++seed) {
            why = run_seed(seed, r, sum, true);
            if (!why.empty()) break;
        }
        auto const label = std::string(name(r.fault));
        if (why.empty()) {
            ++missed;
            std::printf("%-24s NOT noticed in %llu seeds\n", label.c_str(),
                        static_cast<unsigned long long>(r.mutants));
        } else {
            std::printf("%-24s noticed by seed %llu: %s\n", label.c_str(),
                        static_cast<unsigned long long>(seed),
                        why.substr(0, why.find('\n')).c_str());
        }
        std::fflush(stdout);
    }
    return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    request r;
    std::vector<std::string> const words(argv + 1, argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const number = [&]() -> std::uint64_t {
            return i + 1 < words.size() ? std::strtoull(words[++i].c_str(), nullptr, 10) : 0;
        };
        if (words[i] == "--seeds") {
            r.count = number();
        } else if (words[i] == "--first-seed") {
            r.first = number();
        } else if (words[i] == "--seed") {
            r.first = number();
            r.count = 1;
        } else if (words[i] == "--trace") {
            r.trace = true;
        } else if (words[i] == "--keep-going") {
            r.keep_going = true;
        } else if (words[i] == "--mutants") {
            r.mutants = number();
        } else if (words[i] == "--replays") {
            r.replays = number();
        } else if (words[i] == "--fault" && i + 1 < words.size()) {
            r.fault = fault_named(words[++i]);
        } else {
            std::fprintf(stderr, "what is %s?\n", words[i].c_str());
            return 2;
        }
    }
    if (r.replays != 0) return run_replays(r);
    return r.mutants != 0 ? run_mutants(r) : run_seeds(r);
}
