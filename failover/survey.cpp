#include "failover/survey.hpp"

namespace bevmesh::failover {

bool wished(turn const& t, order what) {
    return t.s.wish && t.s.wish->what == what;
}

bool loss_accepted(turn const& t) {
    return (wished(t, order::promote) && t.s.wish->accept_data_loss) || wished(t, order::init);
}

namespace {

/// When the key is gone: also whom the last record named, whatever the configuration says by now.
std::vector<std::string> everybody(turn const& t) {
    if (t.s.seen.record) return t.s.seen.record->members;
    auto all = t.p.members;
    for (auto const& node : t.s.seen.members)
        add(all, node);
    return all;
}

}  // namespace

survey look_around(turn const& t) {
    survey v;
    v.complete = true;
    auto const members = everybody(t);
    for (auto const& node : members) {
        if (node == t.p.self) continue;
        auto const& peer = t.s.peers[node];
        auto const fresh = peer.report && peer.answers && peer.asked >= t.s.at_since;
        v.complete = v.complete && fresh;
        if (!fresh) continue;
        ++v.heard;
        if (peer.report->serving) v.serving = node;
        if (peer.report->database.role == role::primary) v.primary = node;
        if (peer.report->configuration != t.p.configuration) v.differing = node;
    }
    v.over = v.complete || t.now >= t.s.at_since + t.p.timing.request;
    return v;
}

std::string against_creating(turn const& t, survey const& v) {
    if (wished(t, order::init)) {
        return v.primary.empty() ? std::string() : v.primary + " says that it is primary";
    }
    if (!v.complete) return "the key is missing and not every member answers";
    auto const& own = t.s.database.facts;
    if (!v.primary.empty()) {
        return own.role == role::primary ? "there are two primaries" : v.primary + " is primary";
    }
    if (own.role == role::primary) return {};
    for (auto const& node : everybody(t)) {
        if (node == t.p.self) continue;
        auto const& other = t.s.peers[node].report->database;
        if (other.process.empty()) return node + "'s database does not run: it may have more";
        if (!own.history.contains(other.history.id, other.at)) {
            return node + " has a history that this node's does not contain";
        }
        auto const equal = own.history.id == other.history.id && own.at == other.at;
        if (own.history.id == other.history.id && other.at > own.at) return node + " has more";
        if (equal && node < t.p.self) return node + " has as much and goes first";
    }
    return {};
}

std::string against_quorum(turn const& t, survey const& v) {
    if (t.p.any_of == 0 || loss_accepted(t) || !t.s.seen.record) return {};
    auto const replicas = t.s.seen.record->in_sync.size();
    auto const need = replicas > t.p.any_of ? replicas - t.p.any_of : 1;
    if (v.heard >= need) return {};
    return "only " + std::to_string(v.heard) + " of the " + std::to_string(need) +
           " members answer that must be compared";
}

std::string knows_later_epoch(turn const& t) {
    auto const mine = t.s.hold->record.epoch;
    for (auto const& [node, peer] : t.s.peers) {
        if (!peer.report) continue;
        auto const& r = *peer.report;
        if (r.epoch > mine || (r.epoch == mine && r.epoch_holder != t.p.self)) return node;
    }
    return {};
}

}  // namespace bevmesh::failover
