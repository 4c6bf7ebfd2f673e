// Keeps Consul's agent at what the node's containers are: the whole behaviour, without I/O.
//
// Level-triggered, because edges get lost: Docker keeps 256 events and drops those of a reader that
// takes over 100 ms (moby daemon/events), and every restart of anything leaves a gap. An event is
// only a hint to look; what counts is the last successful look at each side. So:
//  - a container's services follow its last inspect; an error never means "gone";
//  - nothing is removed before one complete pass over Docker has succeeded in this process' life;
//  - a loss of Docker changes nothing (live-restore: containers run on without their engine);
//  - an entry that we do not own is not touched.
// The driver calls handle() for each event and performs what it returns, in order.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "registrar/container_watch.hpp"
#include "registrar/desired.hpp"
#include "registrar/service_keeper.hpp"

namespace bevmesh::registrar {

class reconciler {
public:
    /// `config` must outlive the reconciler, or be replaced by `configured` before it goes.
    reconciler(mesh_config const& config, std::string node, std::uint64_t seed);

    /// Takes what happened at `now`; returns what to do.
    [[nodiscard]] std::vector<action> handle(event const& e, instant now);

    /// When a `tick` is due; empty: only events matter.
    [[nodiscard]] std::optional<instant> next_wake() const;

    /// Both sides seen whole, nothing under way, nothing left to do.
    [[nodiscard]] bool idle() const { return containers_.idle() && services_.idle(); }

    [[nodiscard]] container_watch const& containers() const { return containers_; }
    [[nodiscard]] service_keeper const& services() const { return services_; }
    [[nodiscard]] std::vector<note> notes() const;
    /// ID of the daemon's own entry, which stands as long as the agent keeps its data.
    [[nodiscard]] std::string own_service_id() const { return node_ + ":bevmesh"; }
    [[nodiscard]] mesh_config const& config() const { return *config_; }
    [[nodiscard]] std::string const& node() const { return node_; }

private:
    void recompute(std::string const& id, instant now);
    void refresh(std::string const& id, instant now);
    void recompute_all(instant now);
    void recompute_node();
    void take_notes(std::string const& by, std::vector<note> notes);
    [[nodiscard]] context where() const;

    mesh_config const* config_;
    std::string node_;
    std::string engine_host_;
    random_source random_;
    container_watch containers_;
    service_keeper services_;
    std::map<std::string, std::vector<note>> notes_;        // by container; told once each
    std::map<std::string, std::set<std::string>> sharers_;  // network_mode container:X: X → IDs
    std::vector<action> out_;
};

}  // namespace bevmesh::registrar
