#include "mesh/daemon/failover_metrics.hpp"

#include <algorithm>
#include <functional>

#include "mesh/daemon/failover.hpp"
#include "mesh/daemon/families.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::daemon {
namespace {

namespace fo = failover;
using labels = std::vector<metric_label>;
using every = std::map<std::string, fo::driver const*>;

double lease_left(fo::state const& s, fo::policy const& p) {
    bool const own = s.hold && s.seen.record && s.seen.record->holder == p.self;
    return own ? std::max(0.0, in_seconds(s.hold->valid_until - net::now())) : 0.0;
}

void add_lease(families& to, every const& groups) {
    to.gauge("bevmesh_failover_epoch", "The epoch of the group's record as this node saw it last.");
    for (auto const& [name, d] : groups)
        if (auto const& r = d->view().seen.record)
            to.add(number(std::uint64_t(r->epoch)), {{"group", name}, {"holder", r->holder}});
    to.gauge("bevmesh_failover_lease_seconds",
             "What is left of the lease that this node holds; 0: it holds none.");
    for (auto const& [name, d] : groups)
        to.add(lease_left(d->view(), d->rules()), {{"group", name}});
    to.gauge("bevmesh_failover_guard_up", "Whether the group's guard on this node answers.");
    for (auto const& [name, d] : groups)
        to.add(number(!d->view().guard_id.empty()), {{"group", name}});
    to.gauge("bevmesh_failover_paused", "Whether nothing moves by itself.");
    for (auto const& [name, d] : groups)
        to.add(number(d->view().paused_until > net::now()), {{"group", name}});
}

void add_members(families& to, every const& groups) {
    to.gauge("bevmesh_failover_role", "1 for the role that this node's database has.");
    for (auto const& [name, d] : groups) {
        auto const own = d->report();
        for (auto const role : {fo::role::primary, fo::role::replica})
            to.add(number(own.database.role == role),
                   {{"group", name}, {"role", std::string(fo::name(role))}});
    }
    to.gauge("bevmesh_failover_serving", "Whether this node is the group's published primary.");
    for (auto const& [name, d] : groups)
        to.add(number(d->view().at == fo::stage::serving), {{"group", name}});
    to.gauge("bevmesh_failover_in_sync", "Whether the record says that the member lacks nothing.");
    for (auto const& [name, d] : groups)
        if (auto const& r = d->view().seen.record)
            for (auto const& node : d->rules().members)
                to.add(number(r->entry_of(node) != nullptr), {{"group", name}, {"node", node}});
    to.gauge("bevmesh_failover_lag_bytes",
             "What a member has not replicated, as the holder knows it.");
    for (auto const& [name, d] : groups) {
        if (d->view().at != fo::stage::serving) continue;
        auto const at = d->report().database.at;
        for (auto const& [node, peer] : d->view().peers)
            if (peer.report && peer.answers)
                to.add(number(std::uint64_t(at - std::min(at, peer.report->database.at))),
                       {{"group", name}, {"node", node}});
    }
}

void add_moves(families& to, every const& groups) {
    to.counter("bevmesh_failover_takes_total",
               "Leases that this node took since its daemon started, by what permitted it.");
    for (auto const& [name, d] : groups)
        for (auto const& [reason, n] : d->counts().takes())
            to.add(number(n), {{"group", name}, {"reason", std::string(reason)}});
    to.counter("bevmesh_failover_step_seconds_total", "Time spent in each step that has ended.");
    for (auto const& [name, d] : groups)
        for (auto const& [step, spent] : d->counts().stages())
            to.add(in_seconds(spent.total), {{"group", name}, {"step", std::string(step)}});
    to.counter("bevmesh_failover_steps_total", "Steps that have ended.");
    for (auto const& [name, d] : groups)
        for (auto const& [step, spent] : d->counts().stages())
            to.add(number(spent.count), {{"group", name}, {"step", std::string(step)}});
}

}  // namespace

void add_failover(families& to, failover_groups const& groups) {
    auto const all = groups.drivers();
    if (all.empty()) return;
    add_lease(to, all);
    add_members(to, all);
    add_moves(to, all);
}

}  // namespace bevmesh::daemon
