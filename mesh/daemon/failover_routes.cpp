// The routes of failover groups: what people and other members ask of this node.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "failover/driver/follow_orders.hpp"
#include "failover/driver/replica_entry.hpp"
#include "mesh/daemon/bodies.hpp"
#include "mesh/daemon/failover_group.hpp"
#include "mesh/daemon/failover_view.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;

net::http_response plain(unsigned status, std::string const& text) {
    net::http_response r;
    r.status = status;
    r.headers.emplace_back("Content-Type", "text/plain");
    r.body = text + "\n";
    return r;
}

}  // namespace

void failover_groups::mount(routes& on) {
    on.add("GET", "/v1/failover", audience::everybody,
           [this](call c) { return status(std::move(c)); });
    on.add("GET", "/v1/failover/history", audience::everybody,
           [this](call c) { return history(std::move(c)); });
    on.add("POST", "/v1/failover/order", audience::everybody,
           [this](call c) { return order(std::move(c)); });
    on.add("POST", "/v1/failover/pause", audience::everybody,
           [this](call c) { return pause(std::move(c)); });
    on.add("POST", "/v1/failover/schedule", audience::everybody,
           [this](call c) { return schedule(std::move(c)); });
    on.add("POST", fo::member_target::promise, audience::nodes,
           [this](call c) { return promise(std::move(c)); });
    on.add("POST", fo::member_target::report, audience::nodes,
           [this](call c) { return report(std::move(c)); });
    on.add("POST", fo::member_target::nudge, audience::nodes,
           [this](call c) { return nudge(std::move(c)); });
    on.add("POST", fo::member_target::end_stream, audience::nodes,
           [this](call c) { return end_stream(std::move(c)); });
}

result<failover_groups::group*> failover_groups::find(std::string const& name) const {
    auto const found = groups_.find(name);
    if (found == groups_.end())
        return failure{errc::not_found, node_ + " is in no failover group " + name};
    return found->second.get();
}

/// Of a question that says no more.
result<failover_groups::group*> failover_groups::asked_for(call const& c) const {
    auto const name = fo::decode_group(c.request.body);
    if (!name) return failure{errc::bad_input, name.error().doing};
    return find(*name);
}

awaitable<result<std::string>> failover_groups::promise(call c) {
    auto asked = fo::decode_promise_request(c.request.body);
    if (!asked) co_return failure{errc::bad_input, asked.error().doing};
    auto const g = find(asked->group);
    if (!g) co_return g.error();
    auto const reply = co_await (*g)->driver->promise(c.node, std::move(*asked));
    if (!reply) co_return reply.error();
    co_return fo::encode(*reply);
}

awaitable<result<std::string>> failover_groups::report(call c) {
    auto const g = asked_for(c);
    if (!g) co_return g.error();
    co_return fo::encode((*g)->driver->report());
}

awaitable<result<std::string>> failover_groups::nudge(call c) {
    auto const g = asked_for(c);
    if (!g) co_return g.error();
    (*g)->driver->give(fo::nudged{c.node});
    co_return std::string("{}\n");
}

awaitable<result<std::string>> failover_groups::end_stream(call c) {
    auto const g = asked_for(c);
    if (!g) co_return g.error();
    auto const done = co_await (*g)->driver->end_stream();
    if (!done) co_return done.error();
    co_return std::string("{}\n");
}

bool failover_groups::is_elsewhere(std::string const& name, call const& c) const {
    return c.is_local() && elsewhere_.contains(name);
}

/// A member that is known to be silent would only cost the time until that is seen again.
std::vector<std::string> failover_groups::reachable_first(std::vector<std::string> nodes) const {
    auto const& seen = from_.others.views();
    std::ranges::stable_partition(nodes, [&](std::string const& node) {
        auto const at = seen.find(node);
        return at == seen.end() || !at->second.asked || at->second.reachable;
    });
    return nodes;
}

awaitable<result<std::string>> failover_groups::ask_a_member(std::string name, call c) {
    auto last = failure{errc::not_found, "there is no failover group " + name};
    for (auto const& node : reachable_first(elsewhere_.at(name))) {
        auto answer = co_await from_.others.request(node, same_question(c));
        if (answer) co_return answer;
        last = answer.error();
        // Only where it certainly was not heard may another be asked to change something.
        if (c.request.method != "GET" && last.code != errc::unreachable) break;
    }
    co_return last;
}

awaitable<result<std::string>> failover_groups::status(call c) {
    auto const only = c.query("group");
    json all = json::array();
    for (auto const& [name, g] : groups_) {
        if (!only.empty() && only != name) continue;
        auto one = describe_group(*g->driver, net::now());
        one.update(describe_orders(g->orders->seen(), mesh_orders_.seen(), fo::wall_clock()));
        all.push_back(std::move(one));
    }
    json silent = json::array();
    for (auto const& [name, members] : elsewhere_) {
        if (!c.is_local() || (!only.empty() && only != name)) continue;
        auto asked = c;
        asked.request.target = "/v1/failover?group=" + name;
        auto answer = co_await ask_a_member(name, asked);
        auto const first = answer ? json::parse(*answer, nullptr, false) : json();
        auto const holder = holder_in(first);
        auto const elsewhere = holder != text_at(first, "node");
        if (elsewhere && std::ranges::find(members, holder) != members.end()) {
            // What its lease has left, only the holder knows.
            peer_question q;
            q.target = asked.request.target;
            q.deadline = seconds(2);
            auto own = co_await from_.others.request(holder, std::move(q));
            if (own) answer = std::move(own);
        }
        auto const told = answer ? json::parse(*answer, nullptr, false) : json();
        auto const groups = told.is_object() ? told.value("groups", json::array()) : json::array();
        for (auto const& one : groups)
            all.push_back(one);
        if (groups.empty())
            silent.push_back(
                {{"group", name}, {"why", answer ? "no answer" : describe(answer.error())}});
    }
    if (!only.empty() && all.empty()) {
        if (!silent.empty())
            co_return failure{errc::unreachable, silent[0]["why"].get<std::string>()};
        co_return failure{errc::not_found, "there is no failover group " + only};
    }
    co_return answer_text({{"node", node_}, {"groups", all}, {"not_answering", silent}});
}

awaitable<result<std::string>> failover_groups::history(call c) {
    auto const name = c.query("group");
    if (is_elsewhere(name, c)) co_return co_await ask_a_member(name, std::move(c));
    auto const g = find(name);
    if (!g) co_return g.error();
    auto const all = co_await (*g)->told->read();
    // Without Consul, what this node knows.
    json answer{{"group", name}, {"node", node_}, {"complete", all.has_value()}};
    answer["history"] = all ? describe_history(*all) : describe_history(*(*g)->history, node_);
    co_return answer_text(answer);
}

net::http_response failover_groups::health(std::string const& target) const {
    auto const path = target.substr(0, target.find('?'));
    bool const primary = path.starts_with("/primary/");
    auto const g = find(path.substr(9));
    if (!g) return plain(404, g.error().doing);
    auto const& s = (*g)->driver->view();
    auto const own = (*g)->driver->report();
    if (primary)
        return own.serving && s.at == fo::stage::serving ? plain(200, "primary")
                                                         : plain(503, "not the primary");
    if (!fo::is_readable_replica(s)) return plain(503, "no replica that streams");
    auto const wanted = query_value(target, "max_lag");
    if (wanted.empty()) return plain(200, "replica");
    auto const shown = describe_group(*(*g)->driver, net::now());
    for (auto const& m : shown["members"]) {
        if (m.value("node", "") != node_ || !m["lag"].is_number()) continue;
        auto const lag = m["lag"].get<std::uint64_t>();
        return lag <= std::strtoull(wanted.c_str(), nullptr, 10)
                   ? plain(200, "replica")
                   : plain(503, "lacks " + std::to_string(lag));
    }
    return plain(503, "its lag is not known");
}

}  // namespace bevmesh::daemon
