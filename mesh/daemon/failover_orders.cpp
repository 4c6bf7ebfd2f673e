// What people order of failover groups: to whom each order goes, and what is kept in Consul.
#include <algorithm>

#include "failover/driver/follow_orders.hpp"
#include "mesh/daemon/bodies.hpp"
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

std::optional<fo::order> order_named(std::string const& word) {
    for (auto const o :
         {fo::order::switchover, fo::order::promote, fo::order::init, fo::order::ack})
        if (fo::name(o) == word) return o;
    return std::nullopt;
}

bool is_paused(json const& group) {
    return group.is_object() && group.value("paused_ms", 0) > 0;
}

}  // namespace

/// Carried out by the holder, or by the node that is to be primary; an ack by all that hear it.
awaitable<result<std::string>> failover_groups::order(call c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    auto const what = order_named(text_at(body, "order"));
    if (!what)
        co_return failure{errc::bad_input, "order: expected switchover, promote, init or ack"};
    auto const name = text_at(body, "group");
    if (*what == fo::order::ack) co_return co_await acknowledge(name, std::move(c));
    auto const elsewhere = is_elsewhere(name, c);
    auto const g = find(name);
    if (!g && !elsewhere) co_return g.error();
    fo::ordered o;
    o.what = *what;
    o.node = text_at(body, "node");
    o.accept_data_loss = body.value("accept_data_loss", false);
    auto executor = o.node;
    if (o.what == fo::order::switchover) {
        auto holder = co_await holder_of(name, c);
        if (!holder) co_return holder.error();
        executor = std::move(*holder);
    }
    if (executor.empty()) co_return failure{errc::bad_input, "say which node"};
    auto const& members = elsewhere ? elsewhere_.at(name) : (*g)->driver->rules().members;
    if (std::ranges::find(members, executor) == members.end())
        co_return failure{errc::bad_input, "'" + executor + "' is no member of " + name};
    if (executor != node_) {
        // What a member asks is not passed on a second time.
        if (!c.is_local() && std::ranges::find(members, c.node) != members.end())
            co_return failure{errc::conflict, node_ + " is not the one to do that"};
        co_return co_await from_.others.request(std::move(executor), same_question(c));
    }
    auto& d = *(*g)->driver;
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

awaitable<result<std::string>> failover_groups::holder_of(std::string name, call c) {
    std::string holder;
    if (!is_elsewhere(name, c)) {
        auto const g = find(name);
        if (!g) co_return g.error();
        auto const& record = (*g)->driver->view().seen.record;
        if (record) holder = record->holder;
    } else {
        c.request.method = "GET";
        c.request.target = "/v1/failover?group=" + name;
        c.request.body.clear();
        auto const status = co_await ask_a_member(name, std::move(c));
        if (!status) co_return status.error();
        holder = holder_in(json::parse(*status, nullptr, false));
    }
    if (holder.empty()) co_return failure{errc::conflict, "nobody holds the lease of " + name};
    co_return holder;
}

/// Whoever may be the next to take has to know, and the holder may be the one that is silent:
/// every member is told, by the daemon that a user asks.
awaitable<result<std::string>> failover_groups::acknowledge(std::string name, call c) {
    auto const g = find(name);
    auto const elsewhere = is_elsewhere(name, c);
    if (!g && !elsewhere) co_return g.error();
    json heard = json::array();
    if (g) {
        (*g)->driver->give(fo::ordered{fo::order::ack, {}});
        heard.push_back(node_);
    }
    json unaware = json::array();
    auto last = failure{errc::unreachable, "no member of " + name + " heard it"};
    auto const others = c.is_local() ? reachable_first(elsewhere ? elsewhere_.at(name)
                                                                 : (*g)->driver->rules().members)
                                     : std::vector<std::string>();
    for (auto const& node : others) {
        if (node == node_) continue;
        auto q = same_question(c);
        q.deadline = seconds(2);
        auto const answer = co_await from_.others.request(node, std::move(q));
        (answer ? heard : unaware).push_back(node);
        if (!answer) last = answer.error();
    }
    if (heard.empty()) co_return last;
    co_return answer_text({{"group", name},
                           {"order", fo::name(fo::order::ack)},
                           {"node", heard.front()},
                           {"heard", heard},
                           {"unaware", unaware}});
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

}  // namespace bevmesh::daemon
