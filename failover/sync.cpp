#include "failover/sync.hpp"

namespace bevmesh::failover::sync {

namespace {

std::vector<std::string> others_in(std::vector<in_sync_entry> const& in_sync, policy const& p) {
    std::vector<std::string> nodes;
    for (auto const& e : in_sync) {
        if (e.node != p.self) nodes.push_back(e.node);
    }
    return nodes;
}

replica_view const* replica_of(database_facts const& facts, std::string_view node) {
    for (auto const& r : facts.replicas) {
        if (r.node == node) return &r;
    }
    return nullptr;
}

/// A replica's own word on which process and history it is; empty: it has not told since it
/// streams.
std::optional<in_sync_entry> entry_of_peer(turn const& t, std::string const& node) {
    auto const found = t.s.peers.find(node);
    if (found == t.s.peers.end() || !found->second.report) return std::nullopt;
    auto const& report = *found->second.report;
    auto const& facts = report.database;
    if (!facts.boot_fenced || facts.upstream != t.p.self || !facts.streaming) return std::nullopt;
    if (facts.history.id != t.s.database.facts.history.id) return std::nullopt;
    if (report.configuration != t.p.configuration) return std::nullopt;
    return entry_for(node, facts, t.p);
}

bool catches_up(turn const& t, replica_view const& r) {
    auto const& facts = t.s.database.facts;
    return r.streaming && r.flushed + t.p.lag_max >= facts.at && has(t.p.members, r.node) &&
           entry_of_peer(t, r.node).has_value();
}

/// Asynchronous replication has no gate: in sync means close enough.
bool gated(policy const& p) {
    return p.sync != sync_mode::off;
}

bool is_raised(turn const& t, std::string const& node) {
    if (!gated(t.p) || t.broken(fault::raise_record_first)) return true;
    auto const floor = t.s.gate.floors.find(node);
    if (floor == t.s.gate.floors.end() || !has(t.s.gate.now.nodes, node)) return false;
    if (t.p.any_of == 0 && t.s.gate.now.count != t.s.gate.now.nodes.size()) return false;
    if (t.broken(fault::raise_without_position)) return true;
    auto const* const r = replica_of(t.s.database.facts, node);
    return r != nullptr && r->streaming && r->flushed >= floor->second;
}

/// By the member's own word: no hiccup of its stream, nothing runs there.
bool is_dead(turn const& t, std::string const& node) {
    auto const found = t.s.peers.find(node);
    if (found == t.s.peers.end() || !found->second.report) return false;
    auto const& facts = found->second.report->database;
    return facts.process.empty() && facts.condition == condition::refused;
}

/// An in-sync replica whose stream is down for longer than a hiccup holds up every write.
bool is_lost(turn const& t, std::string const& node) {
    auto const silent = t.s.gate.silent.find(node);
    if (silent == t.s.gate.silent.end()) return false;
    return is_dead(t, node) || t.now >= silent->second + t.p.timing.request;
}

/// Strict and alone: any peer will do, so that there is a second copy at all.
gate_setting completed(std::vector<std::string> nodes, policy const& p) {
    if (nodes.empty() && p.sync == sync_mode::strict) {
        for (auto const& member : p.members) {
            if (member != p.self) nodes.push_back(member);
        }
        std::sort(nodes.begin(), nodes.end());
        auto const any = nodes.empty() ? 0U : 1U;
        return {std::move(nodes), any};
    }
    std::sort(nodes.begin(), nodes.end());
    auto const all = nodes.size();
    return {std::move(nodes), p.any_of == 0 ? all : std::min(p.any_of, all)};
}

gate_setting wanted_gate(turn const& t) {
    std::vector<std::string> nodes;
    if (!gated(t.p)) return {};
    if (t.broken(fault::relax_on_read) && t.s.seen.record) {
        // By what was read last, however old the answer is.
        nodes = others_in(t.s.seen.record->in_sync, t.p);
        for (auto const& r : t.s.database.facts.replicas) {
            auto const recorded = t.s.hold->record.entry_of(r.node) != nullptr;
            if (!recorded && catches_up(t, r)) add(nodes, r.node);
        }
        return completed(std::move(nodes), t.p);
    }
    // Whoever the record names, or an unresolved write would name, is waited for.
    for (auto const& node : others_in(t.s.hold->record.in_sync, t.p))
        add(nodes, node);
    for (auto const& a : t.s.attempts) {
        for (auto const& node : others_in(a.record.in_sync, t.p))
            add(nodes, node);
    }
    for (auto const& node : t.s.gate.doubted)
        add(nodes, node);
    if (t.broken(fault::relax_server_first)) {
        std::erase_if(nodes, [&](auto const& node) { return is_lost(t, node); });
    }
    if (!t.broken(fault::raise_record_first)) {
        for (auto const& r : t.s.database.facts.replicas) {
            if (catches_up(t, r)) add(nodes, r.node);
        }
    }
    return completed(std::move(nodes), t.p);
}

bool subset(std::vector<std::string> const& small, std::vector<std::string> const& large) {
    return std::all_of(small.begin(), small.end(),
                       [&](std::string const& each) { return has(large, each); });
}

}  // namespace

in_sync_entry entry_for(std::string const& node, database_facts const& facts, policy const& p) {
    auto const process = p.kind == kind::redis ? facts.process : std::string();
    return {node, process, facts.history.id, facts.at};
}

gate_setting first_gate(lease_record const& record, policy const& p) {
    if (!gated(p)) return {};
    return completed(others_in(record.in_sync, p), p);
}

std::vector<in_sync_entry> wanted(turn const& t) {
    auto const& recorded = t.s.hold->record.in_sync;
    if (t.s.at != stage::serving && t.s.at != stage::publishing) return recorded;
    auto const& facts = t.s.database.facts;
    std::vector<in_sync_entry> next;
    for (auto const& e : recorded) {
        if (e.node == t.p.self) {
            auto own = entry_for(t.p.self, facts, t.p);
            own.recorded_at = e.history == own.history ? e.recorded_at : own.recorded_at;
            next.push_back(facts.role == role::primary ? own : e);
        } else if (has(t.p.members, e.node) && !is_lost(t, e.node)) {
            next.push_back(e);
        }
    }
    for (auto const& r : facts.replicas) {
        auto const known = std::any_of(next.begin(), next.end(),
                                       [&](in_sync_entry const& e) { return e.node == r.node; });
        if (known || !catches_up(t, r) || !is_raised(t, r.node)) continue;
        if (auto e = entry_of_peer(t, r.node)) next.push_back(*e);
    }
    return next;
}

void doubt(turn const& t, lease_record const& refused) {
    for (auto const& node : others_in(refused.in_sync, t.p))
        add(t.s.gate.doubted, node);
}

bool wants_relaxing(turn const& t) {
    return t.s.gate.known && !subset(t.s.gate.now.nodes, wanted_gate(t).nodes);
}

bool absorb(turn const& t, carried_out const& e) {
    auto& g = t.s.gate;
    if (!g.setting.take(e.op)) return false;
    if (e.result != outcome::done) {
        g.known = false;
        return true;
    }
    auto const all_waited = g.known && g.now.count == g.now.nodes.size();
    for (auto const& node : g.asked.nodes) {
        auto const waited = all_waited && has(g.now.nodes, node) && g.floors.contains(node);
        if (!waited) g.floors[node] = e.at;
    }
    std::erase_if(g.floors, [&](auto const& floor) { return !has(g.asked.nodes, floor.first); });
    g.known = true;
    g.now = g.asked;
    return true;
}

void absorb_probe(turn const& t) {
    auto& g = t.s.gate;
    if (!t.s.hold) return;
    // A primary that does not answer says nothing of its replicas, and acknowledges nothing that
    // they lack: they stay, and one of them is fit when it has to be replaced.
    if (tells_nothing(t.s.database.facts)) {
        g.silent.clear();
        return;
    }
    for (auto const& node : others_in(t.s.hold->record.in_sync, t.p)) {
        auto const* const r = replica_of(t.s.database.facts, node);
        if (r != nullptr && r->streaming) {
            g.silent.erase(node);
        } else {
            g.silent.try_emplace(node, t.now);
        }
    }
}

void look(turn const& t) {
    auto& g = t.s.gate;
    if (!t.leads() || t.s.at == stage::draining || !gated(t.p)) return;
    if (t.s.database.facts.role != role::primary || g.setting.out(t.now)) return;
    auto const next = wanted_gate(t);
    // Asked again for the position alone, when the gate already waits for one that is to be raised.
    auto const floors = std::all_of(next.nodes.begin(), next.nodes.end(), [&](auto const& node) {
        return g.floors.contains(node) || t.s.hold->record.entry_of(node) != nullptr;
    });
    if (g.known && next == g.now && floors) return;
    auto const tighter = !g.known || (subset(g.now.nodes, next.nodes) && g.now.count <= next.count);
    // Relaxed only on the answer to the newest attempt; until then the server waits for more.
    auto const may =
        tighter || t.broken(fault::relax_server_first) || (g.may_relax && t.s.attempts.empty());
    if (!may || (!g.known && t.s.hold->inherited)) return;
    g.asked = next;
    t.act(set_gate{t.begin(g.setting, t.p.timing.request), t.s.process, next});
}

}  // namespace bevmesh::failover::sync
