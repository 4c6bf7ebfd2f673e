#include "mesh/daemon/verifier.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/task_group.hpp"
#include "registrar/verify/judge.hpp"

namespace bevmesh::daemon {
namespace {

namespace verify = registrar::verify;
using net::awaitable;

}  // namespace

awaitable<void> verifier::ask_self(shared_facts into) {
    auto facts = co_await own_.look();
    into->nodes[core_.node()].facts = std::move(facts);
}

awaitable<void> verifier::ask_node(std::string node, shared_facts into) {
    auto const sent = net::now();
    auto const answer = co_await ask_(node, "/v1/node", node_limit);
    auto const wall = wall_clock_ms();
    auto& report = into->nodes[node];
    auto facts =
        answer ? verify::decode_node_facts(*answer) : result<verify::node_facts>(answer.error());
    if (!facts) {
        report.trouble = describe(facts.error());
        co_return;
    }
    auto const whole = std::chrono::duration_cast<milliseconds>(net::now() - sent);
    report.rtt = std::max(whole - milliseconds(facts->took_ms), milliseconds(0));
    report.clock_offset = milliseconds(facts->wall_ms - wall) + report.rtt / 2;
    report.facts = std::move(*facts);
}

awaitable<void> verifier::ask_catalog(shared_facts into) {
    auto read = own_.read_catalog();
    std::string const doing = "read Consul's catalog";
    auto catalog = co_await net::with_deadline(std::move(read), catalog_limit, doing);
    if (catalog)
        into->catalog = std::move(*catalog);
    else
        into->catalog_trouble = describe(catalog.error());
}

awaitable<verify::mesh_facts> verifier::collect() {
    auto const facts = std::make_shared<verify::mesh_facts>();
    facts->asked_on = core_.node();
    auto const executor = co_await boost::asio::this_coro::executor;
    net::task_group questions(executor, [](std::string_view, std::string const&) {});
    questions.spawn(ask_self(facts), "this node");
    questions.spawn(ask_catalog(facts), "catalog");
    for (auto const& [node, _] : core_.config().nodes)
        if (node != core_.node()) questions.spawn(ask_node(node, facts), node);
    co_await questions.join();
    co_return std::move(*facts);
}

awaitable<result<std::string>> verifier::answer() {
    auto const facts = co_await collect();
    auto const rows = verify::judge(core_.config(), facts);
    co_return answer_text(verify::to_json(rows, facts.asked_on));
}

void verifier::mount(routes& on) {
    on.add("GET", "/v1/verify", audience::local, [this](call) { return answer(); });
}

}  // namespace bevmesh::daemon
