#include "failover/peers.hpp"

namespace bevmesh::failover::peers {

namespace {

void ask(turn const& t, std::string const& node) {
    auto& peer = t.s.peers[node];
    if (peer.question.out(t.now)) return;
    auto const surveys = t.s.at == stage::consulting || t.s.at == stage::ending_streams;
    auto const soon = surveys && peer.question.sent < t.s.at_since;
    if (!soon && t.now < peer.asked_next) return;
    if (peer.question.op != 0) peer.answers = false;  // the last one was never answered
    peer.asked_next = t.now + t.p.probe;
    t.act(ask_peer{t.begin(peer.question, t.p.timing.request), node});
}

}  // namespace

void absorb(turn const& t, peer_answered const& e) {
    auto const found = t.s.peers.find(e.node);
    if (found == t.s.peers.end()) return;
    auto& peer = found->second;
    auto const sent = peer.question.sent;
    if (!peer.question.take(e.op)) return;
    peer.answers = e.report.has_value();
    if (!e.report) return;
    if (peer.report && e.report->database.at > peer.report->database.at &&
        e.report->database.history.id == peer.report->database.history.id) {
        peer.advanced = peer.asked;
    }
    peer.report = e.report;
    peer.asked = sent;
    if (e.report->epoch > t.s.epoch_seen) {
        t.s.epoch_seen = e.report->epoch;
        t.s.epoch_holder = e.report->epoch_holder;
    }
}

void absorb(turn const& t, nudged const& e) {
    auto const found = t.s.peers.find(e.from);
    if (found == t.s.peers.end()) return;
    found->second.asked_next = t.now;
    t.s.database.probe_next = t.now;
}

void nudge_all(turn const& t) {
    auto others = t.p.members;
    std::erase(others, t.p.self);
    t.act(nudge{std::move(others)});
}

void look(turn const& t) {
    auto const& record = t.s.seen.record;
    for (auto const& node : t.p.members) {
        if (node != t.p.self) ask(t, node);
    }
    if (!record) {
        for (auto const& node : t.s.seen.members) {
            if (node != t.p.self && !has(t.p.members, node)) ask(t, node);
        }
        return;
    }
    for (auto const& node : record->members) {
        if (node != t.p.self && !has(t.p.members, node)) ask(t, node);
    }
}

}  // namespace bevmesh::failover::peers
