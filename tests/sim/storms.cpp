// Weather that takes more than one fault, each aimed at one rule of the protocol.
#include <algorithm>

#include "tests/sim/world.hpp"

namespace bevmesh::sim {

using namespace failover;

/// Consul alone fails: for everybody, or for one.
void world::outage(ticks length) {
    auto const v = dice_.below(nodes_.size());
    auto const consul = nodes_.size();
    schedule_.push_back("Consul alone fails for " + std::to_string(2 * length / ms) + " ms");
    if (dice_.percent(50)) {
        consul_.available = false;
    } else {
        cut_[v][consul] = cut_[consul][v] = true;
    }
    queue_.in(2 * length, [this, v, consul] {
        consul_.available = true;
        cut_[v][consul] = cut_[consul][v] = false;
    });
}

/// Consul is not reached at all, one peer early and the others late: no round is ever complete.
void world::take_turns(std::size_t v, ticks length) {
    auto const consul = nodes_.size();
    auto const early = (v + 1 + dice_.below(nodes_.size() - 1)) % nodes_.size();
    auto const link = [this, v](std::size_t i, bool up) {
        if (!healed_ && i != v) cut_[i][v] = cut_[v][i] = !up;
    };
    for (std::size_t i = 0; i <= consul; ++i)
        link(i, false);
    auto const request = settings_.timing.request.count();
    auto const first = settings_.timing.promise.count();
    queue_.in(first - request / 2, [link, early] { link(early, true); });
    queue_.in(first + request, [link, early] { link(early, false); });
    queue_.in(first + request + dice_.between(0, 2 * request), [this, link, early] {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (i != early) link(i, true);
        }
    });
    queue_.in(std::max(length, 2 * settings_.unit()), [link, consul] {
        for (std::size_t i = 0; i <= consul; ++i)
            link(i, true);
    });
}

/// Its replica comes and goes, Consul's answers are old, and just when the replica counts again
/// both the stream and the primary are lost.
void world::lose_replica_twice(node& primary, std::size_t other) {
    auto const v = index_of(primary.name);
    auto const link = [this, v, other](bool up) {
        if (!healed_) cut_[other][v] = cut_[v][other] = !up;
    };
    link(false);
    stale_ = true;
    auto const request = settings_.timing.request.count();
    queue_.in(3 * request, [link] { link(true); });
    watch_raise(primary, other, queue_.now() + 2 * settings_.unit());
}

void world::watch_raise(node& primary, std::size_t other, ticks until) {
    auto const request = settings_.timing.request.count();
    queue_.in(request / 8, [this, &primary, other, until, request] {
        auto const& now = consul_.entry().record;
        auto const v = index_of(primary.name);
        auto const was = consul_.before().record;
        auto const raised = now && was && now->entry_of(nodes_[other]->name) != nullptr &&
                            was->entry_of(nodes_[other]->name) == nullptr;
        if (healed_ || queue_.now() > until) {
            stale_ = false;
        } else if (raised) {
            cut_[other][v] = cut_[v][other] = true;
            queue_.in(request / 2, [this, &primary] {
                if (!healed_) kill_db(primary);
            });
            queue_.in(2 * settings_.unit(), [this, v, other] {
                stale_ = false;
                cut_[other][v] = cut_[v][other] = false;
            });
        } else {
            watch_raise(primary, other, until);
        }
    });
}

/// The configuration of all nodes, one after the other, except of the one that is left out: nobody
/// has told it.
void world::change_members(std::string const& without) {
    std::vector<std::string> members;
    for (auto const& n : nodes_) {
        if (n->name != without) members.push_back(n->name);
    }
    for (auto const& each : nodes_) {
        auto& n = *each;
        if (n.name == without) continue;
        queue_.in(dice_.between(0, settings_.timing.request.count()), [this, &n, members, without] {
            if (healed_ && !without.empty()) return;
            n.daemon.policy = policy_of(settings_, members, n.name);
        });
    }
}

}  // namespace bevmesh::sim
