// One step under way: the state that changes, and the few things that every part of the core does.
//
// Pure, and private to failover_core. The parts are free functions over a turn: `absorb` functions
// take an event into the state, `look` functions decide what is due now.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "failover/action.hpp"
#include "failover/policy.hpp"
#include "failover/state.hpp"

namespace bevmesh::failover {

struct turn {
    state& s;
    policy const& p;
    instant now;
    std::vector<action>& out;

    [[nodiscard]] bool broken(fault f) const noexcept { return p.broken(f); }

    /// Notes that an action is under way and gives its op; `limit` as the driver keeps it. The core
    /// waits a little longer, so that the driver's own verdict comes first.
    std::uint64_t begin(errand& e, nanoseconds limit) const {
        e = {++s.last_op, now, now + limit + limit / 4};
        return e.op;
    }

    template <class Action>
    void act(Action a) const {
        out.emplace_back(std::move(a));
    }

    void say(weight how, std::string text) const {
        s.told = text;
        out.emplace_back(tell{how, std::move(text)});
    }
    /// A standing reason: told once, until something else is told.
    void say_once(weight how, std::string text) const {
        if (s.told != text) say(how, std::move(text));
    }

    void enter(stage next) const {
        s.at = next;
        s.at_since = now;
    }

    /// From the take's commit until the fence begins.
    [[nodiscard]] bool holds() const {
        return s.hold && s.at >= stage::ending_streams && s.at <= stage::draining;
    }
    /// The database has been told to be primary and nothing has been told it since.
    [[nodiscard]] bool leads() const {
        return s.hold && s.at >= stage::proving && s.at <= stage::draining;
    }
    [[nodiscard]] bool leaves() const { return s.at >= stage::fencing; }
    [[nodiscard]] bool valid() const {
        return s.hold && now < s.hold->valid_until - p.timing.fence;
    }
    [[nodiscard]] bool guard_is_live() const {
        return !s.guard_id.empty() && !(s.extend.op != 0 && now > s.extend.sent + p.timing.fence);
    }
};

template <class T>
[[nodiscard]] bool has(std::vector<T> const& all, T const& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// Adds what is not there yet.
inline void add(std::vector<std::string>& all, std::string const& one) {
    if (!has(all, one)) all.push_back(one);
}

}  // namespace bevmesh::failover
