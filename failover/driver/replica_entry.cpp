#include "failover/driver/replica_entry.hpp"

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

constexpr milliseconds look_each{200};
constexpr seconds again{30};

consul::service_definition entry_of(driver const& from, service_address const& where) {
    auto const& p = from.rules();
    consul::service_definition d;
    d.name = p.group + "-replica";
    d.id = "bevmesh-failover:" + d.name;
    d.address = where.host;
    d.port = where.port;
    d.tags.push_back(p.self);
    d.meta.emplace("bevmesh-failover", p.group);
    d.meta.emplace("node", p.self);
    return d;
}

}  // namespace

bool is_readable_replica(state const& s) {
    auto const& facts = s.database.facts;
    return s.database.any && facts.role == role::replica && facts.condition == condition::ok &&
           facts.streaming;
}

boost::asio::awaitable<void> announce_replica(consul::client& agent, driver const& from,
                                              service_address where) {
    auto const entry = entry_of(from, where);
    std::optional<bool> announced;
    instant written{};
    for (;;) {
        bool const wanted = is_readable_replica(from.view());
        bool const stale = wanted && net::now() - written > again;
        if (announced != wanted || stale) {
            auto writing =
                wanted ? agent.register_service(entry) : agent.deregister_service(entry.id);
            auto const done = co_await std::move(writing);
            bool const gone = !wanted && !done && done.error().code == errc::not_found;
            if (done || gone) {
                announced = wanted;
                written = net::now();
            }
        }
        co_await net::sleep_for(look_each);
    }
}

}  // namespace bevmesh::failover
