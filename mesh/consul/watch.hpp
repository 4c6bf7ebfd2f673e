// Drives one blocking query by the rules of watch_rules.hpp.
//
// A coroutine for each watch, each with a connection of its own while it waits: never in sequence,
// and well below the 200 that an agent allows an address (http_max_conns_per_client).
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "mesh/consul/watch_rules.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::consul {

template <class T>
struct watch_hooks {
    /// Asks once; the argument goes to the client's method as it is.
    std::function<net::awaitable<result<answer<T>>>(blocking)> ask;
    std::function<void(T const&)> on_news;
    /// Trouble, once when it begins and every tenth time; must not throw.
    std::function<void(failure const&, unsigned in_a_row)> on_trouble;
};

/// Until canceled. The state it keeps is the last content, to compare the next with.
template <class T>
net::awaitable<void> watch(watch_hooks<T> hooks, watch_policy policy, std::uint64_t seed) {
    watch_rules rules(policy);
    random_source random(seed);
    std::optional<T> last;
    auto const tell = [&](failure const& f) {
        auto const n = rules.failures();
        if (hooks.on_trouble && n % 10 == 1) hooks.on_trouble(f, n);
    };
    for (;;) {
        auto const query = rules.next(net::now());
        auto const early = query.not_before - net::now();
        if (early > nanoseconds(0)) {
            co_await net::sleep_for(std::chrono::ceil<milliseconds>(early));
        }
        auto got = co_await hooks.ask(query.how);
        if (got.has_error()) {
            rules.on_failure(net::now(), random);
            if (got.error().code != errc::canceled) tell(got.error());
            continue;
        }
        answer<bool> facts;
        facts.index = got->index;
        facts.filtered = got->filtered;
        facts.known_leader = got->known_leader;
        facts.last_contact = got->last_contact;
        bool const same = last.has_value() && *last == got->value;
        auto const verdict = rules.on_answer(facts, same, net::now(), random);
        if (verdict == watch_verdict::news) {
            last = std::move(got->value);
            hooks.on_news(*last);
        } else if (verdict == watch_verdict::filtered) {
            tell(failure{errc::forbidden, "watch Consul: the token may not see the whole answer"});
        } else if (verdict == watch_verdict::distrust) {
            tell(failure{errc::remote_error, "watch Consul: the server knows no leader"});
        }
    }
}

}  // namespace bevmesh::consul
