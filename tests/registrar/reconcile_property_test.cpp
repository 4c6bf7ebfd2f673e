// Whatever happens on the way, Consul ends as the containers are, and what is not ours is
// untouched.
//
// Each seed is a random history: containers come, go, pause, restart, are recreated under their
// name, change health; hints are lost, doubled, reordered; calls fail with and without effect;
// engine, agent and daemon stop and come back, the agent with and without its data. Then the faults
// end and the node must converge. A failure prints the seed; BEVMESH_SEED=N runs that one alone.
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/registrar/world.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using test::world;

namespace {

struct fault_rates {
    bool engine = true;
    bool agent = true;
    bool restart = true;
    unsigned call_fails = 0;  // of 100
};

std::vector<std::string> const names{"redis", "web", "db", "plain", "twin"};

std::uint16_t port_of(std::string const& name) {
    if (name == "redis") return 6379;
    if (name == "web") return 8080;
    if (name == "db") return 5432;
    return name == "plain" ? 7000 : 7001;
}

void random_docker_change(world& w, random_source& random) {
    auto const& name = names[random.below(names.size())];
    switch (random.below(9)) {
        case 0:
        case 1:
            if (!w.find(name)) w.run(name, port_of(name));
            break;
        case 2:
            w.remove(name);
            break;
        case 3:
            w.change(name, [](auto& c) { c.state = docker::run_state::paused; }, "pause");
            break;
        case 4:
            w.change(name, [](auto& c) { c.state = docker::run_state::running; }, "unpause");
            break;
        case 5:
            w.change(name, [](auto& c) { c.state = docker::run_state::restarting; }, "die");
            break;
        case 6: {
            auto const health = static_cast<docker::health>(random.below(4));
            w.change(name, [&](auto& c) { c.health = health; }, "health_status");
            break;
        }
        case 7:  // recreated under its name, the end of the old one unseen
            if (auto* old = w.find(name)) {
                w.containers.erase(old->id);
                w.run(name, port_of(name));
            }
            break;
        case 8:
            w.change(name, [](auto& c) { c.state = docker::run_state::exited; }, "");
            break;
    }
}

void random_trouble(world& w, random_source& random, fault_rates const& rates) {
    switch (random.below(8)) {
        case 0:
            if (rates.engine) w.engine(!w.engine_is_up);
            break;
        case 1:
            if (rates.agent) w.agent_is_up = !w.agent_is_up;
            break;
        case 2:
            if (rates.agent) w.agent_loses_everything();
            break;
        case 3:
            if (rates.agent) w.agent_restarts_with_data();
            break;
        case 4:
            if (rates.restart) w.restart_daemon(random.next());
            break;
        case 5: {
            auto const port = port_of(names[random.below(names.size())]);
            if (!w.open_ports.erase(port)) w.open_ports.insert(port);
            break;
        }
        case 6:  // somebody removes a check of ours by hand
            if (!w.agent.checks.empty()) {
                auto it = w.agent.checks.begin();
                std::advance(it, static_cast<long>(random.below(w.agent.checks.size())));
                if (!w.untouchable.contains(it->second.service_id)) w.agent.checks.erase(it);
            }
            break;
        case 7:
            // Between a look-up's answer and the write no test can be made; in life it is a
            // millisecond.
            if (std::ranges::none_of(
                    w.answers, [](event const& e) { return std::holds_alternative<looked_up>(e); }))
                w.foreign("thanos:plain:7000", "plain", {{"external-source", "nomad"}});
            break;
    }
}

void deliver_some(world& w, random_source& random) {
    for (auto n = random.below(6); n > 0 && !w.answers.empty(); --n) {
        auto const at = random.below(w.answers.size());
        auto const e = w.answers[at];
        // Answers to writes come once; anything else may come again.
        bool const twice = random.chance(1, 20) && !std::holds_alternative<written>(e);
        if (!twice) w.answers.erase(w.answers.begin() + static_cast<long>(at));
        w.give(e);
    }
}

/// Any of them, once, twice or never.
void deliver_hints(world& w, random_source& random) {
    for (auto n = random.below(4); n > 0 && !w.hints.empty(); --n) {
        auto const at = random.below(w.hints.size());
        auto const h = w.hints[at];
        bool const again = random.chance(1, 10);
        bool const lost = random.chance(1, 10);
        if (!again) w.hints.erase(w.hints.begin() + static_cast<long>(at));
        if (!lost) w.give(h);
    }
}

std::string run_history(std::uint64_t seed) {
    random_source random(seed);
    world w(test::small_config(), random.next());
    w.verbose = std::getenv("BEVMESH_TRACE") != nullptr;
    w.foreign("thanos:other:1", "other", {});
    w.foreign("web-by-hand", "web", {{"external-source", "kubernetes"}});
    w.foreign("oracle1:x:1", "x",
              {{"external-source", "bevmesh"}, {"bevmesh-instance", "oracle1"}});
    auto const others = w.agent.services;

    fault_rates rates{random.chance(1, 2), random.chance(1, 2), random.chance(1, 3),
                      static_cast<unsigned>(random.below(40))};
    w.fault = [&](action const&, bool& has_effect) -> std::optional<errc> {
        if (!random.chance(rates.call_fails, 100)) return {};
        has_effect = random.chance(1, 2);
        auto const kinds = {errc::timed_out, errc::remote_error, errc::forbidden, errc::truncated};
        return *(kinds.begin() + random.below(kinds.size()));
    };
    w.engine(true);
    w.hints_wait = true;
    for (int step = 0; step < 120; ++step) {
        if (random.chance(1, 3)) random_docker_change(w, random);
        if (random.chance(1, 12)) random_trouble(w, random, rates);
        deliver_hints(w, random);
        deliver_some(w, random);
        if (random.chance(1, 4)) {
            w.now += milliseconds(random.below(400));
            w.give(tick{});
        }
    }

    w.fault = {};
    w.agent_is_up = true;
    w.engine(true);
    if (!w.daemon->containers().complete() && !w.engine_is_up) return "the engine is down";
    w.advance(std::chrono::seconds(150));
    if (!w.converge(std::chrono::seconds(90))) return "does not come to rest";
    if (std::getenv("BEVMESH_TRACE"))
        for (auto const& line : w.trace)
            std::cerr << line << "\n";
    if (auto const wrong = w.disagreement(); !wrong.empty()) return wrong;
    for (auto const& [id, entry] : others)
        if (!w.agent.services.contains(id) || w.agent.services.at(id) != entry)
            return id + " is not ours and was changed";

    auto const puts = w.puts;
    w.trace.clear();
    w.advance(std::chrono::seconds(120));
    for (auto const& line : w.trace)
        if (w.puts != puts && !line.starts_with("probe") && !line.starts_with("list") &&
            !line.starts_with("inspect") && !line.starts_with("look"))
            return "something unchanged was written again: " + line;
    return {};
}

}  // namespace

TEST_CASE("a node converges from any history and touches nothing foreign", "[property]") {
    std::uint64_t first = 1;
    std::uint64_t count = 2000;
    if (char const* one = std::getenv("BEVMESH_SEED")) {
        first = std::strtoull(one, nullptr, 10);
        count = 1;
    } else if (char const* more = std::getenv("BEVMESH_SEEDS")) {
        count = std::strtoull(more, nullptr, 10);
    }
    for (auto seed = first; seed < first + count; ++seed) {
        auto const wrong = run_history(seed);
        if (!wrong.empty()) FAIL("seed " << seed << ": " << wrong);
    }
    SUCCEED(count << " histories");
}
