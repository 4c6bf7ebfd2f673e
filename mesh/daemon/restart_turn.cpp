#include "mesh/daemon/restart_turn.hpp"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "failover/orders.hpp"

namespace bevmesh::daemon {

namespace asio = boost::asio;
using nlohmann::json;

namespace {

failover::utc now() {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::string key_of(std::string const& service) {
    return "bevmesh/restart/" + service;
}

/// Whose it is; empty: nobody's any more. What cannot be read is nobody's.
std::string holder_in(std::string const& text) {
    auto const entry = json::parse(text, nullptr, false);
    if (!entry.is_object()) return {};
    auto const until = failover::read_utc(entry.value("until", std::string()));
    return until && now() < *until ? entry.value("node", std::string()) : std::string();
}

}  // namespace

restart_turn::restart_turn(consul::client& agent, std::string node)
    : agent_(agent), node_(std::move(node)) {}

asio::awaitable<result<void>> restart_turn::take(std::string service) {
    auto key = key_of(service);
    auto const taken = co_await try_take(std::move(key));
    if (taken && *taken) co_return result<void>();
    if (taken) co_return failure{errc::conflict, "another node restarts its " + service + " now"};
    if (taken.error().code == errc::conflict) co_return taken.error();
    log_.warning("restarted without a turn",
                 {{"service", service}, {"reason", describe(taken.error())}});
    co_return result<void>();
}

asio::awaitable<result<bool>> restart_turn::try_take(std::string key) {
    consul::blocking ask;
    ask.consistent = true;
    auto const there = co_await agent_.kv_get(key, ask);
    std::uint64_t base = 0;
    if (there) {
        base = there->value.modify_index;
        auto const holder = holder_in(there->value.value);
        if (!holder.empty() && holder != node_)
            co_return failure{errc::conflict, "one is restarted at a time, and " + holder +
                                                  " is at it until it gives " + key + " back"};
    } else if (there.error().code != errc::not_found) {
        co_return there.error();
    }
    json const entry{{"node", node_}, {"until", failover::to_text(now() + longest)}};
    auto const put = co_await agent_.kv_put(key, entry.dump(), base);
    if (!put) co_return put.error();
    if (!*put) co_return false;
    auto const mine = co_await agent_.kv_get(key, ask);
    if (mine) taken_[key] = mine->value.modify_index;
    co_return true;
}

asio::awaitable<void> restart_turn::give_back(std::string service) {
    auto const taken = taken_.extract(key_of(service));
    if (taken.empty()) co_return;
    auto const gone = co_await agent_.kv_delete_cas(taken.key(), taken.mapped());
    if (!gone)
        log_.warning("a turn to restart is not given back, and over by itself",
                     {{"key", taken.key()}, {"reason", describe(gone.error())}});
}

}  // namespace bevmesh::daemon
