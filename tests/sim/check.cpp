// The promises, as checks: after every event, at every promotion, at every change of the endpoint.
#include <algorithm>
#include <utility>

#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

void world::violated(std::string what) {
    if (!violation_.empty()) return;
    note("check", "VIOLATED: " + what);
    violation_ = std::move(what);
}

bool world::excusable(node const& n) const {
    return n.unguarded_until >= queue_.now();
}

/// Promise 1: at most one database takes writes at any instant.
void world::check() {
    node const* writer = nullptr;
    for (auto const& n : nodes_) {
        if (!n->db.open() || excusable(*n)) continue;
        if (writer != nullptr) {
            return violated(writer->name + " and " + n->name + " both take writes");
        }
        writer = n.get();
    }
}

/// Promise 2: a database becomes primary with every acknowledged write.
void world::check_promotion(node& n) {
    std::vector<bool> has(acked_.size(), false);
    for (auto const id : n.db.log)
        has[id] = true;
    auto const lossless = settings_.sync != sync_mode::off && settings_.kind == kind::postgres;
    std::size_t lost = 0;
    write_id first = 0;
    for (write_id id = 0; id < acked_.size(); ++id) {
        if (!acked_[id] || excused_[id] || has[id]) continue;
        if (lost++ == 0) first = id;
        excused_[id] = true;
        ++tally_.excused;
    }
    if (lost == 0) return;
    note("check", "lost " + std::to_string(lost) + " from w" + std::to_string(first) + " on");
    auto const planned = n.planned && settings_.sync != sync_mode::off;
    auto const accepted = std::exchange(n.loss_accepted, false);
    if ((lossless || planned) && !accepted) {
        violated(std::to_string(lost) + " acknowledged writes are lost by the promotion of " +
                 n.name + (n.planned ? " (planned)" : ""));
    }
}

/// Promise 4: the endpoint names a database that was seen to take a write.
void world::check_publish(node& n) {
    if (n.proved.empty() || n.proved != n.daemon.core.process) {
        violated("the endpoint of " + n.name + " is published before a write went through");
    }
}

void world::check_drain(node& n) {
    if (consul_.entry().endpoint == n.name && !forged_) {
        violated(n.name + " is told to step down while the endpoint names it");
    }
}

/// Promise 3: Consul's absence alone stops nothing.
void world::check_outage() {
    if (settings_.outage_only && deaths_ != 0) {
        violated("a primary was stopped although nothing but Consul failed");
    }
}

/// Where the daemons think that they are.
std::string world::standing() const {
    std::string out;
    for (auto const& n : nodes_) {
        auto const& core = n->daemon.core;
        auto const now = instant(nanoseconds(n->clock.read(queue_.now())));
        out += "\n  " + n->name + " is " + std::string(name(core.at)) + ", said: " + core.told +
               "; lease: " + may_take(core, n->daemon.policy, now).why;
        for (auto const& c : candidates(core, n->daemon.policy, now))
            out += "; " + c.node + (c.fit ? " is fit" : ": " + c.why);
    }
    return out;
}

/// After the heal: one primary serves, published, and every replica has its data.
std::string world::unconverged() {
    node* primary = nullptr;
    for (auto const& n : nodes_) {
        if (n->db.open()) primary = n.get();
    }
    if (primary == nullptr) return "no database takes writes";
    if (primary->daemon.core.at != stage::serving) {
        return primary->name + " is " + std::string(name(primary->daemon.core.at));
    }
    if (consul_.entry().endpoint != primary->name) return "the endpoint does not name it";
    auto const& record = consul_.entry().record;
    for (auto const& n : nodes_) {
        if (n.get() == primary) continue;
        if (!n->db.running) return n->name + " does not run";
        if (!n->db.streaming || n->db.upstream != primary->name) {
            return n->name + " does not stream";
        }
        if (clients_stopped_ && n->db.log != primary->db.log) return n->name + " lacks data";
        if (record->entry_of(n->name) == nullptr) return n->name + " is not in sync";
    }
    if (!clients_stopped_) return {};
    if (!primary->db.pending.empty()) return "writes still wait";
    std::vector<bool> has(acked_.size(), false);
    for (auto const id : primary->db.log)
        has[id] = true;
    for (write_id id = 0; id < acked_.size(); ++id) {
        if (acked_[id] && !excused_[id] && !has[id]) violated("an acknowledged write is gone");
    }
    return {};
}

}  // namespace bevmesh::sim
