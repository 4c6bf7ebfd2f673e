#include "mesh/daemon/failover.hpp"

#include <algorithm>

#include "failover/configured.hpp"
#include "failover/driver/follow_orders.hpp"
#include "failover/driver/replica_entry.hpp"
#include "failover/driver/unit.hpp"
#include "mesh/daemon/failover_database.hpp"
#include "mesh/daemon/failover_group.hpp"
#include "mesh/daemon/secret_line.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;

constexpr auto guard_directory = "/run/bevmesh-guard/";

}  // namespace

failover_groups::failover_groups(boost::asio::any_io_executor executor, std::string node,
                                 failover_sources from)
    : executor_(executor),
      node_(std::move(node)),
      from_(from),
      mesh_orders_(from.consul, fo::whole_mesh),
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
        if (std::ranges::find(group.members, made->node_) == group.members.end()) {
            made->elsewhere_.emplace(group.name, group.members);
            continue;
        }
        if (auto const added = made->add(group, config); !added)
            return failure{added.error().code,
                           "failover group " + group.name + ": " + added.error().doing};
    }
    return made;
}

result<void> failover_groups::add(failover_group_config const& config, mesh_config const& mesh) {
    auto rules = fo::policy_of(config, node_);
    if (!rules) return rules.error();
    auto const password = read_secret_line(config.password_file, "the database's password");
    if (!password) return password.error();
    fo::service_addresses where;
    for (auto const& member : config.members) {
        auto const place = fo::placement_of(config, member);
        auto const host = place.address.empty() ? mesh.nodes.at(member).address : place.address;
        where[member] = {host, place.port};
    }
    auto const place = fo::placement_of(config, node_);

    auto g = std::make_unique<group>();
    g->where = where.at(node_);
    g->store = fo::make_lease_store(from_.consul, config.name, where);
    auto const limit = std::chrono::duration_cast<milliseconds>(rules->timing.fence);
    g->keeper = fo::guard::make_client(executor_, guard_directory + config.name + ".sock", limit);
    g->house = place.unit.empty() ? fo::make_container_housing(from_.docker, place.container)
                                  : fo::make_unit_housing(place.unit);
    auto database = make_database(
        executor_, *g->house,
        {config, *rules, where, certificates_for(config, mesh, node_), *password, mesh.state_dir});
    if (!database) return database.error();
    g->database = std::move(*database);
    g->history = std::make_unique<fo::journal>(
        config.name, mesh.state_dir + "/failover-" + config.name + ".journal");
    g->told = std::make_unique<fo::shared_history>(from_.consul, config.name, node_);
    g->history->tell_also([told = g->told.get()](fo::journal_entry const& e) { told->add(e); });
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
    g->orders = std::make_unique<fo::order_book>(from_.consul, config.name);
    groups_.emplace(config.name, std::move(g));
    return {};
}

awaitable<void> failover_groups::run() {
    auto const nothing = [] {};
    tasks_.spawn(mesh_orders_.watch(nothing), "orders of the mesh");
    for (auto const& [name, g] : groups_) {
        tasks_.spawn(g->orders->watch(nothing), "orders of " + name);
        tasks_.spawn(g->told->run(), "history of " + name);
        tasks_.spawn(fo::follow_orders(*g->orders, mesh_orders_, *g->driver, *g->history),
                     "orders to " + name);
        tasks_.spawn(g->driver->run(), "driver of " + name);
        tasks_.spawn(fo::announce_replica(from_.consul, *g->driver, g->where),
                     "replica entry of " + name);
    }
    co_await tasks_.join();
}

bool failover_groups::is_primary(std::string const& name) const {
    auto const found = groups_.find(name);
    return found != groups_.end() &&
           found->second->driver->report().database.role == fo::role::primary;
}

std::map<std::string, fo::driver const*> failover_groups::drivers() const {
    std::map<std::string, fo::driver const*> all;
    for (auto const& [name, g] : groups_)
        all.emplace(name, g->driver.get());
    return all;
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

}  // namespace bevmesh::daemon
