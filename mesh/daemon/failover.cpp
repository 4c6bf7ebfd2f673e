#include "mesh/daemon/failover.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "failover/configured.hpp"
#include "failover/driver/container.hpp"
#include "failover/driver/redis_database.hpp"
#include "failover/driver/replica_entry.hpp"
#include "mesh/daemon/failover_view.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;
namespace fo = failover;

constexpr auto guard_directory = "/run/bevmesh-guard/";

result<secret> read_password(std::string const& path) {
    if (path.empty()) return secret();
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line) || line.empty())
        return failure{errc::local_error, "read the database's password from " + path};
    return secret(std::move(line));
}

std::string text_of(json const& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

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

std::optional<fo::order> order_named(std::string const& word) {
    for (auto const o :
         {fo::order::switchover, fo::order::promote, fo::order::init, fo::order::ack})
        if (fo::name(o) == word) return o;
    return std::nullopt;
}

}  // namespace

struct failover_groups::group {
    std::unique_ptr<fo::lease_store> store;
    std::unique_ptr<fo::guard::client> keeper;
    std::unique_ptr<fo::housing> house;
    std::unique_ptr<fo::database_port> database;
    std::unique_ptr<fo::journal> history;
    std::unique_ptr<fo::driver> driver;
    fo::service_address where;
};

failover_groups::failover_groups(boost::asio::any_io_executor executor, std::string node,
                                 failover_sources from)
    : executor_(executor),
      node_(std::move(node)),
      from_(from),
      tasks_(executor, [](std::string_view task, std::string const& what) {
          log::logger("failover")
              .error("a part ended by an exception",
                     {{"part", std::string(task)}, {"reason", what}});
      }) {}

failover_groups::~failover_groups() = default;

result<std::unique_ptr<failover_groups>> failover_groups::make(
    boost::asio::any_io_executor executor, mesh_config const& config, std::string node,
    failover_sources from) {
    std::unique_ptr<failover_groups> made(new failover_groups(executor, std::move(node), from));
    for (auto const& group : config.failover) {
        if (std::ranges::find(group.members, made->node_) == group.members.end()) continue;
        if (auto const added = made->add(group, config); !added)
            return failure{added.error().code,
                           "failover group " + group.name + ": " + added.error().doing};
    }
    return made;
}

result<void> failover_groups::add(failover_group_config const& config, mesh_config const& mesh) {
    auto rules = fo::policy_of(config, node_);
    if (!rules) return rules.error();
    if (rules->kind != fo::kind::redis)
        return failure{errc::bad_input, "this version moves Redis only"};
    auto const password = read_password(config.password_file);
    if (!password) return password.error();
    fo::service_addresses where;
    fo::redis::addresses addresses;
    for (auto const& member : config.members) {
        auto const place = fo::placement_of(config, member);
        auto const host = place.address.empty() ? mesh.nodes.at(member).address : place.address;
        where[member] = {host, place.port};
        addresses[member] = {host, place.port};
    }
    auto const place = fo::placement_of(config, node_);
    if (place.container.empty())
        return failure{errc::bad_input, "this version runs databases in containers only"};

    auto g = std::make_unique<group>();
    g->where = where.at(node_);
    g->store = fo::make_lease_store(from_.consul, config.name, where);
    auto const limit = std::chrono::duration_cast<milliseconds>(rules->timing.fence);
    g->keeper = fo::guard::make_client(executor_, guard_directory + config.name + ".sock", limit);
    g->house = fo::make_container_housing(from_.docker, place.container);
    fo::redis_options how;
    how.policy = *rules;
    how.where = addresses;
    how.data_dir = place.data_dir;
    how.quarantine_dir = place.quarantine_dir;
    how.login = [tls = config.tls, user = config.user,
                 word = *password](fo::redis::address const& at) {
        bevmesh::redis::settings s;
        s.where.transport = tls.enabled ? net::endpoint::kind::tls : net::endpoint::kind::tcp;
        s.where.host = at.host;
        s.where.port = at.port;
        s.tls.ca_file = tls.ca_file;
        s.tls.cert_file = tls.cert_file;
        s.tls.key_file = tls.key_file;
        s.tls.server_name = tls.server_name;
        s.user = user;
        s.password = word;
        return s;
    };
    g->database = fo::make_redis_database(executor_, *g->house, std::move(how));
    g->history = std::make_unique<fo::journal>(
        config.name, mesh.state_dir + "/failover-" + config.name + ".journal");
    fo::hook_settings const hooks{config.name, config.hooks.before, config.hooks.after,
                                  config.hooks.timeout};
    fo::member_call call = [this](std::string node, std::string target, std::string body,
                                  milliseconds deadline) {
        peer_question q;
        q.method = "POST";
        q.target = std::move(target);
        q.body = std::move(body);
        q.deadline = deadline;
        return from_.others.request(std::move(node), std::move(q));
    };
    fo::driver_parts parts{*g->store, *g->keeper,       *g->database, *g->house,
                           call,      std::move(hooks), *g->history};
    g->driver = std::make_unique<fo::driver>(executor_, *rules, std::move(parts));
    groups_.emplace(config.name, std::move(g));
    return {};
}

awaitable<void> failover_groups::run() {
    for (auto const& [name, g] : groups_) {
        tasks_.spawn(g->driver->run(), "driver of " + name);
        tasks_.spawn(fo::announce_replica(from_.consul, *g->driver, g->where),
                     "replica entry of " + name);
    }
    co_await tasks_.join();
}

awaitable<void> failover_groups::prepare_restart() {
    constexpr milliseconds look_each{20};
    auto const committed = [](group const& g) {
        auto const& s = g.driver->view();
        auto const& p = g.driver->rules();
        return !s.hold || p.planned_term.count() == 0 ||
               nanoseconds(s.hold->record.term) >= p.planned_term;
    };
    for (auto const& [name, g] : groups_) {
        if (committed(*g)) continue;
        fo::ordered restart;
        restart.what = fo::order::restart;
        g->driver->give(restart);
        auto const until = net::now() + 4 * g->driver->rules().timing.request;
        while (!committed(*g) && net::now() < until)
            co_await net::sleep_for(look_each);
    }
}

void failover_groups::mount(routes& on) {
    on.add("GET", "/v1/failover", audience::everybody,
           [this](call c) { return at_once(status(c.query("group"))); });
    on.add("GET", "/v1/failover/history", audience::everybody,
           [this](call c) { return at_once(history(c.query("group"))); });
    on.add("POST", "/v1/failover/order", audience::everybody,
           [this](call c) { return order(std::move(c)); });
    on.add("POST", "/v1/failover/pause", audience::everybody,
           [this](call c) { return pause(std::move(c)); });
    on.add("POST", fo::member_target::promise, audience::nodes,
           [this](call c) { return promise(std::move(c)); });
    on.add("POST", fo::member_target::report, audience::nodes,
           [this](call c) { return report(std::move(c)); });
    on.add("POST", fo::member_target::end_stream, audience::nodes,
           [this](call c) { return end_stream(std::move(c)); });
}

result<failover_groups::group*> failover_groups::find(std::string const& name) const {
    auto const found = groups_.find(name);
    if (found == groups_.end())
        return failure{errc::not_found, node_ + " is in no failover group " + name};
    return found->second.get();
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
    auto const name = fo::decode_group(c.request.body);
    if (!name) co_return failure{errc::bad_input, name.error().doing};
    auto const g = find(*name);
    if (!g) co_return g.error();
    co_return fo::encode((*g)->driver->report());
}

awaitable<result<std::string>> failover_groups::end_stream(call c) {
    auto const name = fo::decode_group(c.request.body);
    if (!name) co_return failure{errc::bad_input, name.error().doing};
    auto const g = find(*name);
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
    auto const g = find(text_at(body, "group"));
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
        if (!c.is_local()) co_return failure{errc::conflict, node_ + " is not the one to do that"};
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
    co_return text_of(answer);
}

/// On every member, as far as they answer.
awaitable<result<std::string>> failover_groups::pause(call c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    auto const g = find(text_at(body, "group"));
    if (!g) co_return g.error();
    auto& d = *(*g)->driver;
    auto const for_seconds = body.value("seconds", std::int64_t{0});
    if (for_seconds < 0 || for_seconds > 7 * 24 * 3600)
        co_return failure{errc::bad_input, "pause: from 0 s to a week"};
    d.give(fo::paused_for{seconds(for_seconds)});
    json missing = json::array();
    if (c.is_local()) {
        for (auto const& node : d.rules().members) {
            if (node == node_) continue;
            peer_question q;
            q.method = "POST";
            q.target = c.request.target;
            q.body = c.request.body;
            auto const told = co_await from_.others.request(node, std::move(q));
            if (!told) missing.push_back(node);
        }
    }
    json const answer{
        {"group", d.rules().group}, {"seconds", for_seconds}, {"not_reached", missing}};
    co_return text_of(answer);
}

result<std::string> failover_groups::status(std::string const& only) const {
    json all = json::array();
    for (auto const& [name, g] : groups_)
        if (only.empty() || only == name) all.push_back(describe_group(*g->driver, net::now()));
    if (!only.empty() && all.empty())
        return failure{errc::not_found, node_ + " is in no failover group " + only};
    return text_of({{"node", node_}, {"groups", all}});
}

result<std::string> failover_groups::history(std::string const& name) const {
    auto const g = find(name);
    if (!g) return g.error();
    return text_of(
        {{"group", name}, {"node", node_}, {"history", describe_history(*(*g)->history)}});
}

std::map<std::string, fo::driver const*> failover_groups::drivers() const {
    std::map<std::string, fo::driver const*> all;
    for (auto const& [name, g] : groups_)
        all.emplace(name, g->driver.get());
    return all;
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
