#include "failover/action.hpp"

namespace bevmesh::failover {

namespace {

std::string joined(std::vector<std::string> const& all) {
    std::string out;
    for (auto const& each : all)
        out += (out.empty() ? "" : ",") + each;
    return out.empty() ? "nobody" : out;
}

std::string text(gate_setting const& g) {
    return std::to_string(g.count) + " of " + joined(g.nodes);
}

struct teller {
    std::string operator()(read_record const&) const { return "read"; }
    std::string operator()(write_record const& a) const {
        auto const& r = a.record;
        std::vector<std::string> in_sync;
        for (auto const& e : r.in_sync)
            in_sync.push_back(e.node);
        auto out = "write " + r.write_id + " on " + std::to_string(a.base) + ": " + r.holder +
                   " epoch " + std::to_string(r.epoch) + " " + std::string(name(r.state)) +
                   " in sync " + joined(in_sync);
        if (!r.target.empty()) out += " to " + r.target + " at " + std::to_string(r.released_at);
        if (r.term.count() > 0) out += " term " + std::to_string(r.term.count()) + " ms";
        if (a.endpoint == endpoint_change::publish) out += ", publish";
        if (a.endpoint == endpoint_change::remove) out += ", withdraw";
        return out;
    }
    std::string operator()(ask_promises const& a) const {
        return "ask promises of " + joined(a.nodes) + " in round " + a.round;
    }
    std::string operator()(answer_promise const& a) const {
        return (a.granted ? "promise to " : "refuse to ") + a.to +
               (a.why.empty() ? "" : ": " + a.why);
    }
    std::string operator()(ask_peer const& a) const { return "ask " + a.node; }
    std::string operator()(nudge const& a) const { return "nudge " + joined(a.nodes); }
    std::string operator()(arm_guard const& a) const { return "arm guard on " + a.process; }
    std::string operator()(extend_guard const& a) const {
        return std::string("extend guard") + (a.shorter ? ", shorter" : "");
    }
    std::string operator()(forget_guard const&) const { return "guard forgets"; }
    std::string operator()(probe const&) const { return "probe"; }
    std::string operator()(end_streams const& a) const {
        return "end streams of " + joined(a.nodes);
    }
    std::string operator()(promote const& a) const {
        return "promote " + a.process + ", gate " + text(a.gate);
    }
    std::string operator()(prove const& a) const { return "prove " + a.process; }
    std::string operator()(set_gate const& a) const { return "set gate " + text(a.gate); }
    std::string operator()(drain const& a) const {
        return "drain " + a.process + " into " + a.target;
    }
    std::string operator()(resume_writes const& a) const { return "resume writes of " + a.process; }
    std::string operator()(fence const& a) const {
        return std::string(a.kill ? "kill " : "fence ") +
               (a.process.empty() ? "whatever runs" : a.process) +
               (a.upstream.empty() ? "" : ", follow " + a.upstream);
    }
    std::string operator()(start_database const&) const { return "start the database"; }
    std::string operator()(follow const& a) const { return "follow " + a.upstream; }
    std::string operator()(checkpoint const&) const { return "checkpoint"; }
    std::string operator()(quarantine const& a) const {
        return "quarantine what " + a.upstream + " lacks";
    }
    std::string operator()(resync const& a) const { return "resync from " + a.upstream; }
    std::string operator()(run_hook const& a) const {
        return std::string("hook ") + (a.before ? "before " : "after ") + a.what + " to " + a.node;
    }
    std::string operator()(tell const& a) const { return "tell \"" + a.text + "\""; }
};

}  // namespace

std::string to_string(action const& a) {
    return std::visit(teller{}, a);
}

}  // namespace bevmesh::failover
