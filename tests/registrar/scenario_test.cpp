// Golden traces: what the registrar does, as a protocol that a person can review.
//
// A scenario is commands, each followed by the actions that it led to, indented. Time passes by
// `advance` alone; everything asked for is answered at once. BEVMESH_REWRITE=1 writes the files
// anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/registrar/world.hpp"

using namespace bevmesh;
using test::world;

namespace {

class scenario {
public:
    /// The text with the actions that really happened.
    std::string replay(std::string const& text) {
        std::istringstream lines(text);
        std::string out;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("  ")) continue;
            out += line + "\n";
            if (line.empty() || line.starts_with("#")) continue;
            obey(line);
            world_.run_quiet();
            out += folded(world_.trace);
            world_.trace.clear();
        }
        return out;
    }

private:
    void obey(std::string const& line) {
        std::istringstream words(line);
        std::string verb;
        std::string name;
        words >> verb >> name;
        if (verb == "engine") return world_.engine(name == "up");
        if (verb == "run") {
            std::uint16_t port = 0;
            std::string slow;
            words >> port >> slow;
            world_.run(name, port, slow.empty());
        } else if (verb == "advance") {
            world_.advance(milliseconds(std::stol(name)));
        } else if (verb == "remove") {
            world_.remove(name);
        } else if (verb == "state") {
            std::string state;
            std::string hint;
            words >> state >> hint;
            world_.change(name, [&](auto& c) { c.state = state_named(state); }, hint);
        } else if (verb == "health") {
            std::string health;
            words >> health;
            world_.change(
                name, [&](auto& c) { c.health = health_named(health); },
                "health_status: " + health);
        } else if (verb == "port") {
            std::string state;
            words >> state;
            auto const port = static_cast<std::uint16_t>(std::stoul(name));
            if (state == "open")
                world_.open_ports.insert(port);
            else
                world_.open_ports.erase(port);
        } else if (verb == "agent") {
            if (name == "forgets") world_.agent_loses_everything();
            if (name == "restarts") world_.agent_restarts_with_data();
            if (name == "down") world_.agent_is_up = false;
            if (name == "up") world_.agent_is_up = true;
        } else if (verb == "daemon") {
            world_.restart_daemon(1);
        } else if (verb == "foreign") {
            std::string service;
            std::string source;
            words >> service >> source;
            std::map<std::string, std::string> meta;
            if (!source.empty()) meta["external-source"] = source;
            world_.foreign(name, service, meta);
        } else if (verb == "maintenance") {
            std::string state;
            words >> state;
            world_.give(registrar::maintenance_asked{name, state == "on", "upgrade"});
        } else if (verb == "consul_maint") {
            std::string state;
            words >> state;
            world_.admins_maintenance(name, state == "on");
        } else if (verb == "reload") {
            world_.give(registrar::configured{&world_.config});
        } else {
            FAIL("no such command: " << line);
        }
    }

    static docker::run_state state_named(std::string const& s) {
        if (s == "running") return docker::run_state::running;
        if (s == "paused") return docker::run_state::paused;
        if (s == "restarting") return docker::run_state::restarting;
        return docker::run_state::exited;
    }

    static docker::health health_named(std::string const& s) {
        if (s == "healthy") return docker::health::healthy;
        if (s == "unhealthy") return docker::health::unhealthy;
        return s == "starting" ? docker::health::starting : docker::health::none;
    }

    /// Lines that repeat (probes of a slow port) as one.
    static std::string folded(std::vector<std::string> const& trace) {
        std::string out;
        for (std::size_t i = 0; i < trace.size();) {
            auto const first = i;
            while (i < trace.size() && trace[i] == trace[first])
                ++i;
            out += "  " + shortened(trace[first]);
            out += i - first > 1 ? " x" + std::to_string(i - first) + "\n" : "\n";
        }
        return out;
    }

    /// Container IDs are 64 characters of which the last count.
    static std::string shortened(std::string text) {
        for (auto at = text.find("cccccccc"); at != std::string::npos; at = text.find("cccccccc"))
            text.erase(at, text.find_first_not_of('c', at) - at - 1);
        return text;
    }

    world world_;
};

}  // namespace

TEST_CASE("the registrar does what the scenarios say") {
    std::filesystem::path const folder(BEVMESH_SCENARIOS);
    unsigned seen = 0;
    for (auto const& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() != ".txt") continue;
        ++seen;
        std::ifstream in(file.path());
        std::string const expected((std::istreambuf_iterator<char>(in)), {});
        auto const actual = scenario().replay(expected);
        if (std::getenv("BEVMESH_REWRITE")) std::ofstream(file.path()) << actual;
        INFO(file.path().filename());
        CHECK(actual == expected);
    }
    CHECK(seen >= 8);
}
