// The words between the reconciler (pure) and its driver (I/O): what happened, what to do.
//
// Every action is answered by exactly one event, also when it failed; the answer carries what is
// needed to recognise it. Events may come late, twice, in another order: the reconciler looks at
// the present state of things, never at the verb of an event.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mesh/base/result.hpp"
#include "registrar/plan.hpp"

namespace bevmesh::registrar {

// What happened.

struct tick {};  // time has passed: asked for by reconciler::next_wake()
struct engine_up {
    docker::engine_info info;  // the event stream is open: lists from now on miss nothing
};
struct engine_down {};
struct containers_listed {
    /// Of running, paused and restarting containers: id → fingerprint of the list's entry. An equal
    /// fingerprint means that an inspect would tell nothing new.
    std::vector<std::pair<std::string, std::string>> entries;
};
struct listing_failed {};
struct container_hint {
    std::string id;    // something about this container may have changed
    std::string kind;  // the engine's word for it: only for telling repeats
    /// When a run of the container ended (event "die"), as started_at is written; else empty.
    std::string ended_at = {};
};
struct container_inspected {
    docker::container container;
};
struct container_missing {
    std::string id;
};
struct inspection_failed {
    std::string id;
};
struct agent_listed {
    observed agent;
};
struct agent_failed {};  // no complete, unfiltered list could be had, or the agent was lost
struct looked_up {
    std::string service_id;
    std::optional<consul::agent_entry> entry;
};
struct look_up_failed {
    std::string service_id;
};
struct probed {
    std::string service_id;
    std::string check_id;
    std::uint64_t round;
    bool passing;
    std::string detail;  // why not; for the log and the API, never for Consul's output
};
struct written {
    std::string service_id;
    std::optional<errc> error;  // empty: done. not_found counts as done for removals
    std::string detail;         // what Consul said; for people
};
struct maintenance_asked {
    std::string service;  // name or ID
    bool on;
    std::string reason;
};
struct configured {
    mesh_config const* config;  // the new one, valid; must outlive the reconciler or its successor
};

using event = std::variant<tick, engine_up, engine_down, containers_listed, listing_failed,
                           container_hint, container_inspected, container_missing,
                           inspection_failed, agent_listed, agent_failed, looked_up, look_up_failed,
                           probed, written, maintenance_asked, configured>;

// What to do.

struct list_containers {};
struct inspect_container {
    std::string id;
};
struct list_agent {};
struct look_up {
    std::string service_id;
};
struct run_probe {
    std::string service_id;
    std::string check_id;
    std::uint64_t round;
    registrar::probe probe;
};
struct register_service {
    consul::service_definition definition;
    std::string why;
    /// Removed first: Consul keeps the state of a check that it knows, and these are known
    /// critical.
    std::vector<std::string> reborn_checks;
};
struct deregister_service {
    std::string service_id;
    std::string why;
};
struct report_check {
    std::string service_id;
    std::string check_id;
    consul::status status;
    std::string output;  // constant for a status: output that varies is written to Raft each time
};
struct set_maintenance {
    std::string service_id;
    bool on;
    std::string reason;
};
struct tell {
    note what;
};

using action =
    std::variant<list_containers, inspect_container, list_agent, look_up, run_probe,
                 register_service, deregister_service, report_check, set_maintenance, tell>;

/// One line a value, as traces and logs show it.
[[nodiscard]] std::string to_string(action const& a);
[[nodiscard]] std::string to_string(event const& e);

}  // namespace bevmesh::registrar
