#include "failover/event.hpp"

namespace bevmesh::failover {

namespace {

std::string text(std::string_view what) {
    return std::string(what);
}

struct teller {
    std::string operator()(started const& e) const {
        return "started " + e.incarnation + (e.inherited ? " with a lease from the guard" : "");
    }
    std::string operator()(tick const&) const { return "tick"; }
    std::string operator()(record_seen const& e) const {
        auto out = (e.op != 0 ? "read " : "saw ") + std::to_string(e.index);
        if (!e.unreadable.empty()) return out + " unreadable";
        if (!e.record) return out + " nothing";
        return out + " " + e.record->holder + " epoch " + std::to_string(e.record->epoch) + " " +
               text(name(e.record->state)) + " by " + e.record->write_id;
    }
    std::string operator()(read_failed const&) const { return "read failed"; }
    std::string operator()(write_answered const& e) const {
        return "write " + e.write_id + " " + text(name(e.result)) +
               (e.result == outcome::done ? " at " + std::to_string(e.index) : "");
    }
    std::string operator()(promise_asked const& e) const {
        return "asked for a promise by " + e.from + " in round " + e.round;
    }
    std::string operator()(promise_answered const& e) const {
        return (e.granted ? "promise of " : "refusal of ") + e.from + " in round " + e.round;
    }
    std::string operator()(peer_answered const& e) const {
        return "peer " + e.node + (e.report ? " answered" : " silent");
    }
    std::string operator()(nudged const& e) const { return "nudged by " + e.from; }
    std::string operator()(guard_seen const& e) const {
        return e.guard_id.empty() ? "guard lost" : "guard " + e.guard_id;
    }
    std::string operator()(guard_answered const& e) const {
        return "guard answered " + text(name(e.result));
    }
    std::string operator()(probed const& e) const {
        return "probed " + text(name(e.facts.role)) + " " + e.facts.process + " at " +
               std::to_string(e.facts.at) + ", it " + text(name(e.facts.condition));
    }
    std::string operator()(database_died const& e) const { return "died " + e.process; }
    std::string operator()(carried_out const& e) const {
        return "op " + std::to_string(e.op) + " " + text(name(e.result)) +
               (e.detail.empty() ? "" : ": " + e.detail);
    }
    std::string operator()(fenced const& e) const {
        return "fenced " + text(name(e.result)) + (e.dead ? ", dead" : "");
    }
    std::string operator()(ordered const& e) const {
        return "order " + text(name(e.what)) + " " + e.node;
    }
    std::string operator()(paused_for const& e) const {
        return "paused for " + std::to_string(e.left / milliseconds(1)) + " ms";
    }
};

}  // namespace

std::string to_string(event const& e) {
    return std::visit(teller{}, e);
}

std::string_view name(outcome o) noexcept {
    switch (o) {
        case outcome::done:
            return "done";
        case outcome::refused:
            return "refused";
        case outcome::unknown:
            return "unknown";
    }
    return "?";
}

std::string_view name(order o) noexcept {
    switch (o) {
        case order::switchover:
            return "switchover";
        case order::promote:
            return "promote";
        case order::init:
            return "init";
        case order::ack:
            return "ack";
        case order::restart:
            return "restart";
    }
    return "?";
}

}  // namespace bevmesh::failover
