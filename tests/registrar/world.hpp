// A node in miniature for the reconciler: a Docker engine, a Consul agent and ports that answer.
//
// The agent behaves as Consul 1.22.7 was seen to: a check that is registered again keeps its state,
// replace-existing-checks removes the maintenance check, TTL checks alone take reports. Time passes
// only by advance(). Answers wait in a queue that a test may reorder, duplicate or turn into
// errors.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "registrar/reconcile.hpp"

namespace bevmesh::test {

/// thanos (10.0.0.1) with the services redis (redis check), web (http), db (tcp) and a process
/// `unit`.
[[nodiscard]] mesh_config small_config();

class world {
public:
    explicit world(mesh_config config = small_config(), std::uint64_t seed = 1);

    // The engine's side. Every change leaves a hint unless the engine is down.
    docker::container& run(std::string const& name, std::uint16_t port, bool answers = true);
    void change(std::string const& name, std::function<void(docker::container&)> const& how,
                std::string const& kind);
    void remove(std::string const& name);
    [[nodiscard]] docker::container* find(std::string const& name);
    void engine(bool up);

    // The agent's side.
    void agent_loses_everything();
    void agent_restarts_with_data();                                  // checks come back critical
    void admins_maintenance(std::string const& service_id, bool on);  // `consul maint`
    void foreign(std::string const& id, std::string const& name,
                 std::map<std::string, std::string> meta);

    /// A new process over the same engine and agent.
    void restart_daemon(std::uint64_t seed);

    void give(registrar::event const& e);
    void perform(registrar::action const& a);
    /// Answers everything at once until nothing is under way.
    void run_quiet();
    void advance(milliseconds by);
    /// Lets time pass until the reconciler rests; false when it does not within `limit`.
    [[nodiscard]] bool converge(milliseconds limit);

    /// What services_of() says of all containers, by service ID.
    [[nodiscard]] std::map<std::string, registrar::registration> wanted() const;
    /// Empty when Consul holds exactly what is wanted; else what is wrong.
    [[nodiscard]] std::string disagreement() const;

    mesh_config config;
    instant now{std::chrono::hours(1)};
    std::unique_ptr<registrar::reconciler> daemon;
    std::map<std::string, docker::container> containers;  // by ID
    registrar::observed agent;
    std::set<std::string> untouchable;  // service IDs that are not ours
    std::set<std::uint16_t> open_ports;
    bool engine_is_up = false;
    bool agent_is_up = true;
    std::deque<registrar::event> answers;
    bool hints_wait = false;  // in `hints`, for the test to give, double, reorder or lose
    std::deque<registrar::container_hint> hints;
    std::vector<std::string> trace;
    bool verbose = false;  // events into the trace, too
    unsigned puts = 0;
    std::string touched;  // a foreign entry was written to: its ID

    /// Decides the fate of each action: nothing (perform), or the failure to answer with.
    std::function<std::optional<errc>(registrar::action const&, bool& has_effect)> fault;

private:
    void hint(registrar::container_hint h);
    void write(std::string const& id, std::optional<errc> failed, bool has_effect,
               std::function<std::optional<errc>()> const& effect);
    unsigned made_ = 0;
};

}  // namespace bevmesh::test
