// The routes of failover groups: what people and other members ask of this node.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "failover/driver/follow_orders.hpp"
#include "failover/driver/replica_entry.hpp"
#include "mesh/daemon/failover_group.hpp"
#include "mesh/daemon/failover_view.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;

constexpr std::int64_t week = 7 * 24 * 3600;
constexpr std::int64_t month = 30 * 24 * 3600;

net::http_response plain(unsigned status, std::string const& text) {
    net::http_response r;
    r.status = status;
    r.headers.emplace_back("Content-Type", "text/plain");
    r.body = text + "\n";
    return r;
}

/// The member of the answer's body; empty when it is not there or no text.
std::string text_at(json const& body, char const* key) {
    auto const at = body.is_object() ? body.find(key) : body.end();
    return body.is_object() && at != body.end() && at->is_string() ? at->get<std::string>()
                                                                   : std::string();
}

std::optional<std::int64_t> number_at(json const& body, char const* key) {
    auto const at = body.is_object() ? body.find(key) : body.end();
    if (!body.is_object() || at == body.end() || !at->is_number_integer()) return std::nullopt;
    return at->get<std::int64_t>();
}

std::optional<fo::order> order_named(std::string const& word) {
    for (auto const o :
         {fo::order::switchover, fo::order::promote, fo::order::init, fo::order::ack})
        if (fo::name(o) == word) return o;
    return std::nullopt;
}

/// The status of one group out of an answer; null where there is none.
json group_in(json const& answer) {
    auto const at = answer.is_object() ? answer.find("groups") : answer.end();
    if (!answer.is_object() || at == answer.end() || !at->is_array() || at->empty()) return {};
    return at->front();
}

/// Whom the status of one group names as the holder, when that is not who told it; else empty.
std::string holder_in(std::string const& status) {
    auto const told = json::parse(status, nullptr, false);
    auto const group = group_in(told);
    if (!group.is_object()) return {};
    auto const holder = text_at(group.value("lease", json::object()), "holder");
    return holder == text_at(told, "node") ? std::string() : holder;
}

bool is_paused(json const& group) {
    return group.is_object() && group.value("paused_ms", 0) > 0;
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

/// Carried out by the holder, or by the node that is to be primary.
awaitable<result<std::string>> failover_groups::order(call c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    auto const what = order_named(text_at(body, "order"));
    if (!what)
        co_return failure{errc::bad_input, "order: expected switchover, promote, init or ack"};
    auto const name = text_at(body, "group");
    if (is_elsewhere(name, c)) co_return co_await ask_a_member(name, std::move(c));
    auto const g = find(name);
    if (!g) co_return g.error();
    auto& d = *(*g)->driver;
    fo::ordered o;
    o.what = *what;
    o.node = text_at(body, "node");
    o.accept_data_loss = body.value("accept_data_loss", false);
    auto const& record = d.view().seen.record;
    bool const by_holder = o.what == fo::order::switchover || o.what == fo::order::ack;
    std::string executor = o.node;
    if (by_holder) executor = record ? record->holder : std::string();
    if (executor.empty())
        co_return failure{errc::conflict, by_holder ? "nobody holds the lease of " + d.rules().group
                                                    : "say which node"};
    if (executor != node_) {
        // What a member asks is not passed on a second time.
        auto const& members = d.rules().members;
        if (!c.is_local() && std::ranges::find(members, c.node) != members.end())
            co_return failure{errc::conflict, node_ + " is not the one to do that"};
        peer_question q;
        q.method = "POST";
        q.target = c.request.target;
        q.body = c.request.body;
        co_return co_await from_.others.request(std::move(executor), std::move(q));
    }
    auto const told = d.view().told;
    d.give(o);
    auto const& after = d.view();
    bool const refused =
        o.what == fo::order::switchover && !after.moving && after.at == fo::stage::serving;
    if (refused)
        co_return failure{errc::conflict, after.told.empty() || after.told == told
                                              ? "the switchover was refused"
                                              : after.told};
    json const answer{{"group", d.rules().group}, {"order", fo::name(o.what)}, {"node", node_}};
    co_return answer_text(answer);
}

/// In Consul, where every member sees it: it outlives each of the daemons.
awaitable<result<std::string>> failover_groups::pause(call c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    auto const name = text_at(body, "group");
    if (is_elsewhere(name, c)) co_return co_await ask_a_member(name, std::move(c));
    auto* book = &mesh_orders_;
    if (name != fo::whole_mesh) {
        auto const g = find(name);
        if (!g) co_return g.error();
        book = (*g)->orders.get();
    }
    auto const for_seconds = number_at(body, "seconds");
    if (!for_seconds || *for_seconds < 0 || *for_seconds > week)
        co_return failure{errc::bad_input, "pause: expected from 0 s to a week"};
    std::optional<fo::pause_order> order;
    if (*for_seconds > 0)
        order = fo::pause_order{fo::wall_clock() + seconds(*for_seconds), text_at(body, "by")};
    auto const edit = [order](fo::standing_orders& all) { all.pause = order; };
    auto changing = book->change(edit);
    auto const changed = co_await std::move(changing);
    if (!changed) co_return changed.error();
    json unaware = json::array();
    for (auto const& [one, g] : groups_) {
        if (name != fo::whole_mesh && name != one) continue;
        auto const left_out = co_await wait_for_pause(*g, order.has_value());
        for (auto const& node : left_out)
            if (std::ranges::find(unaware, json(node)) == unaware.end()) unaware.push_back(node);
    }
    json const answer{{"group", name},
                      {"seconds", *for_seconds},
                      {"unaware", unaware},
                      {"until", order ? json(fo::to_text(order->until)) : json(nullptr)}};
    co_return answer_text(answer);
}

/// A member learns of it from Consul a moment later than it is written there: whoever has ordered
/// a pause wants to know that nothing moves any more.
awaitable<std::vector<std::string>> failover_groups::wait_for_pause(group const& g, bool paused) {
    auto const& rules = g.driver->rules();
    auto waiting = rules.members;
    auto const end = net::now() + seconds(2);
    while (!waiting.empty() && net::now() < end) {
        std::vector<std::string> still;
        for (auto const& node : waiting) {
            peer_question q;
            q.target = "/v1/failover?group=" + rules.group;
            q.deadline = milliseconds(500);
            bool knows = is_paused(describe_group(*g.driver, net::now())) == paused;
            if (node != node_) {
                auto const said = co_await from_.others.request(node, std::move(q));
                auto const told = said ? json::parse(*said, nullptr, false) : json();
                knows = said && is_paused(group_in(told)) == paused;
            }
            if (!knows) still.push_back(node);
        }
        waiting = std::move(still);
        if (!waiting.empty()) co_await net::sleep_for(milliseconds(20));
    }
    co_return waiting;
}

awaitable<result<std::string>> failover_groups::schedule(call c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    auto const name = text_at(body, "group");
    if (is_elsewhere(name, c)) co_return co_await ask_a_member(name, std::move(c));
    auto const g = find(name);
    if (!g) co_return g.error();
    auto const when = text_at(body, "at");
    std::optional<fo::later_switchover> order;
    if (!when.empty()) {
        auto const at = fo::read_utc(when);
        if (!at) co_return at.error();
        auto const now = fo::wall_clock();
        if (*at <= now || *at > now + seconds(month))
            co_return failure{errc::bad_input, when + ": expected a time within the next 30 days"};
        auto const node = text_at(body, "node");
        auto const& members = (*g)->driver->rules().members;
        if (std::ranges::find(members, node) == members.end())
            co_return failure{errc::bad_input, "'" + node + "' is no member of " + name};
        order =
            fo::later_switchover{node_ + "@" + fo::to_text(now), node, *at, text_at(body, "by")};
    }
    auto const edit = [order](fo::standing_orders& all) { all.switchover = order; };
    auto changing = (*g)->orders->change(edit);
    auto const changed = co_await std::move(changing);
    if (!changed) co_return changed.error();
    json const answer{{"group", name},
                      {"node", order ? json(order->node) : json(nullptr)},
                      {"at", order ? json(fo::to_text(order->at)) : json(nullptr)}};
    co_return answer_text(answer);
}

bool failover_groups::is_elsewhere(std::string const& name, call const& c) const {
    return c.is_local() && elsewhere_.contains(name);
}

awaitable<result<std::string>> failover_groups::ask_a_member(std::string name, call c) {
    auto last = failure{errc::not_found, "there is no failover group " + name};
    for (auto const& node : elsewhere_.at(name)) {
        peer_question q;
        q.method = c.request.method;
        q.target = c.request.target;
        q.body = c.request.body;
        q.never_resend = q.method != "GET";
        auto answer = co_await from_.others.request(node, std::move(q));
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
        auto const holder = answer ? holder_in(*answer) : std::string();
        if (!holder.empty() && std::ranges::find(members, holder) != members.end()) {
            // What its lease has left, only the holder knows.
            peer_question q;
            q.target = asked.request.target;
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
