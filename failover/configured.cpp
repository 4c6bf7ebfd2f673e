#include "failover/configured.hpp"

namespace bevmesh::failover {

namespace {

constexpr std::uint16_t redis_port = 6379;
constexpr std::uint16_t postgres_port = 5432;

void put(nanoseconds& into, std::optional<milliseconds> const& wanted) {
    if (wanted) into = *wanted;
}

sync_mode sync_of(std::string const& word) {
    if (word == "off") return sync_mode::off;
    return word == "strict" ? sync_mode::strict : sync_mode::on;
}

std::string first(std::string const& a, std::string const& b) {
    return a.empty() ? b : a;
}

}  // namespace

kind kind_of(failover_group_config const& group) {
    return group.kind == "postgres" ? kind::postgres : kind::redis;
}

timing timing_of(failover_group_config const& group) {
    auto t = profile(group.profile).value_or(*profile("tailnet"));
    put(t.renew, group.timing.renew);
    put(t.request, group.timing.request);
    put(t.fence, group.timing.fence);
    put(t.lease, group.timing.lease);
    put(t.promise, group.timing.promise);
    put(t.kill, group.timing.kill);
    put(t.observer, group.timing.observer);
    return t;
}

placement placement_of(failover_group_config const& group, std::string const& node) {
    auto const at = group.on.find(node);
    auto const own = at == group.on.end() ? failover_member_config() : at->second;
    placement p;
    p.container = own.unit.empty() ? first(own.container, group.container) : std::string();
    p.unit = own.container.empty() ? first(own.unit, group.unit) : std::string();
    if (p.container.empty() && p.unit.empty()) p.container = group.name;
    p.address = own.address;
    auto const usual = kind_of(group) == kind::redis ? redis_port : postgres_port;
    p.port = own.port.value_or(group.port.value_or(usual));
    p.data_dir = first(own.data_dir, group.data_dir);
    p.quarantine_dir = first(own.quarantine_dir, group.quarantine_dir);
    return p;
}

result<policy> policy_of(failover_group_config const& group, std::string const& node) {
    policy p;
    p.group = group.name;
    p.self = node;
    p.members = group.members;
    p.kind = kind_of(group);
    p.timing = timing_of(group);
    p.sync = sync_of(group.synchronous);
    p.preferred = group.preferred;
    if (auto const at = group.on.find(node); at != group.on.end())
        p.priority = static_cast<int>(at->second.priority.value_or(100));
    p.lag_max = group.lag_max;
    if (group.failback_after) p.failback_after = *group.failback_after;
    p.block = group.block;
    p.hook = group.hooks.timeout;
    p.hook_before = !group.hooks.before.empty();
    p.hook_after = !group.hooks.after.empty();
    p.planned_term = group.restart_term;
    return checked(std::move(p), group.profile);
}

}  // namespace bevmesh::failover
