#include "failover/explain.hpp"

#include <array>
#include <cstdio>

#include "failover/lease.hpp"

namespace bevmesh::failover {

namespace {

std::string in_words(nanoseconds n) {
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.1f s", std::chrono::duration<double>(n).count());
    return digits.data();
}

std::string of_holder(state const& s, policy const& p, instant now) {
    auto const epoch = ", epoch " + std::to_string(s.hold->record.epoch);
    auto const left = ", lease left " + in_words(s.hold->valid_until - now);
    if (s.at == stage::serving) {
        auto text = p.self + " serves " + p.group + epoch + left;
        if (s.hold->foreign) text += "; the entry in Consul is not the one that it wrote";
        return text;
    }
    if (s.at >= stage::fencing) {
        return p.self + " stops serving " + p.group + " (" + std::string(name(s.at)) +
               "): " + s.leave.why;
    }
    return p.self + " is on its way to serve " + p.group + " (" + std::string(name(s.at)) + ")" +
           epoch + left;
}

std::string of_observer(state const& s, policy const& p, instant now) {
    auto const by = may_take(s, p, now);
    auto text = p.self + (by.given ? " may take the lease of " : " may not take the lease of ") +
                p.group + ": " + by.why;
    if (!by.given && by.at) text += ", for another " + in_words(*by.at - now);
    if (by.given && now < s.paused_until) {
        text += "; but the group is paused for another " + in_words(s.paused_until - now);
    } else if (by.given && !s.told.empty()) {
        text += "; " + s.told;
    }
    return text;
}

std::string line_of(candidate const& c, state const& s) {
    auto const serves = s.seen.record && s.seen.record->state == lease_state::held &&
                        s.seen.record->published && s.seen.record->holder == c.node;
    auto const where =
        " (position " + std::to_string(c.at) + ", priority " + std::to_string(c.priority) + ")";
    if (serves) return c.node + " is primary";
    if (c.fit) return c.node + " would be promoted" + where;
    return c.node + " would not be promoted: " + c.why + (c.heard ? where : "");
}

}  // namespace

nanoseconds lease_left(state const& s, policy const& p, instant now) {
    auto const left = [&](instant until) { return std::max(nanoseconds(0), until - now); };
    if (s.hold) return left(s.hold->valid_until);
    if (!s.seen.record || s.seen.record->state != lease_state::held) return nanoseconds(0);
    return left(s.seen.changed + lease::observer_wait(*s.seen.record, p));
}

explanation explain(state const& s, policy const& p, instant now) {
    auto const holds = s.hold && s.at >= stage::ending_streams;
    explanation e{holds ? of_holder(s, p, now) : of_observer(s, p, now), {}};
    auto first = true;
    for (auto const& c : candidates(s, p, now)) {
        auto line = line_of(c, s);
        // Only one of those that are fit would be it.
        if (c.fit && !line.ends_with("is primary")) {
            if (!first) line += ", after the one above";
            first = false;
        }
        e.lines.push_back(std::move(line));
    }
    return e;
}

}  // namespace bevmesh::failover
