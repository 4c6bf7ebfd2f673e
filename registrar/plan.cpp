#include "registrar/plan.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

#include "mesh/base/fnv1a.hpp"

namespace bevmesh::registrar {
namespace {

constexpr std::string_view source_key = "external-source";
constexpr std::string_view source_value = "bevmesh";
constexpr std::string_view instance_key = "bevmesh-instance";
constexpr std::string_view container_key = "bevmesh-container";
constexpr std::string_view hash_key = "bevmesh-hash";

// Each value preceded by its length, so that neighbours cannot run together.
class hasher {
public:
    void add(std::string_view text) {
        add(static_cast<std::uint64_t>(text.size()));
        hash_.add(text);
    }
    void add(std::uint64_t number) {
        for (int i = 0; i < 8; ++i)
            hash_.add(static_cast<unsigned char>(number >> (8 * i)));
    }
    void add(std::optional<milliseconds> const& d) {
        add(d ? static_cast<std::uint64_t>(d->count()) + 1 : 0);
    }
    [[nodiscard]] std::string hex() const { return hash_.hex(); }

private:
    fnv1a hash_;
};

void add_check(hasher& h, consul::check_definition const& c) {
    for (auto const* text : {&c.id, &c.name, &c.notes, &c.http, &c.method, &c.body, &c.tcp, &c.udp,
                             &c.grpc, &c.h2ping, &c.docker_container_id, &c.shell, &c.alias_service,
                             &c.alias_node, &c.tls_server_name, &c.initial_status})
        h.add(*text);
    h.add(c.header.size());
    for (auto const& [key, values] : c.header) {
        h.add(key);
        h.add(values.size());
        for (auto const& v : values)
            h.add(v);
    }
    h.add(c.args.size());
    for (auto const& a : c.args)
        h.add(a);
    for (auto const flag : {c.tcp_use_tls, c.grpc_use_tls, c.h2ping_use_tls, c.tls_skip_verify})
        h.add(static_cast<std::uint64_t>(flag));
    for (auto const& d : {c.ttl, c.interval, c.timeout, c.deregister_after})
        h.add(d);
    for (std::uint64_t const n :
         {c.success_before_passing, c.failures_before_warning, c.failures_before_critical})
        h.add(n);
}

std::set<std::string> as_set(std::vector<std::string> const& tags) {
    return {tags.begin(), tags.end()};
}

std::map<std::string, std::string> full_meta(registration const& wanted,
                                             std::string_view instance) {
    auto meta = wanted.service.meta;
    meta[std::string(source_key)] = source_value;
    meta[std::string(instance_key)] = instance;
    // Twelve digits, as `docker ps` shows them.
    if (!wanted.container_id.empty())
        meta[std::string(container_key)] = wanted.container_id.substr(0, 12);
    meta[std::string(hash_key)] = hash_of(wanted);
    return meta;
}

std::string_view text_of(consul::status s) {
    // Consul's registration knows no status "maintenance": it is a check of its own.
    switch (s) {
        case consul::status::passing:
            return "passing";
        case consul::status::warning:
            return "warning";
        case consul::status::maintenance:
        case consul::status::critical:
            break;
    }
    return "critical";
}

}  // namespace

owner owner_of(consul::agent_service const& entry, std::string_view instance) {
    auto const source = entry.meta.find(std::string(source_key));
    if (source == entry.meta.end()) return owner::left_behind;
    if (source->second != source_value) return owner::foreign;
    auto const by = entry.meta.find(std::string(instance_key));
    return by != entry.meta.end() && by->second == instance ? owner::ours : owner::foreign;
}

bool may_adopt(consul::agent_service const& entry, registration const& wanted) {
    return entry.name == wanted.service.name;
}

std::string maintenance_check_id(std::string_view service_id) {
    return "_service_maintenance:" + std::string(service_id);
}

std::string maintenance_reason(registration const& wanted, std::string_view asked) {
    if (!wanted.suspended.empty()) return std::string(maintenance_mark) + wanted.suspended;
    return asked.empty() ? std::string() : std::string(maintenance_mark) + std::string(asked);
}

std::string admins_maintenance(observed const& agent, std::string_view service_id) {
    auto const check = agent.checks.find(maintenance_check_id(service_id));
    if (check == agent.checks.end() || check->second.notes.starts_with(maintenance_mark)) return {};
    return check->second.notes;
}

std::string hash_of(registration const& wanted) {
    hasher h;
    auto const& s = wanted.service;
    h.add(s.id);
    h.add(s.name);
    h.add(s.address);
    h.add(static_cast<std::uint64_t>(s.port));
    h.add(static_cast<std::uint64_t>(s.enable_tag_override));
    auto const tags = as_set(s.tags);
    h.add(tags.size());
    for (auto const& t : tags)
        h.add(t);
    h.add(s.meta.size());
    for (auto const& [key, value] : s.meta) {
        h.add(key);
        h.add(value);
    }
    h.add(s.tagged_addresses.size());
    for (auto const& [key, value] : s.tagged_addresses) {
        h.add(key);
        h.add(value.first);
        h.add(static_cast<std::uint64_t>(value.second));
    }
    h.add(wanted.checks.size());
    for (auto const& c : wanted.checks)
        add_check(h, c.definition);
    h.add(wanted.container_id);
    return h.hex();
}

consul::service_definition definition_of(registration const& wanted, std::string_view instance,
                                         birth_states const& states, std::string_view maintenance) {
    auto made = wanted.service;
    made.meta = full_meta(wanted, instance);
    made.checks.clear();
    for (auto const& check : wanted.checks) {
        auto definition = check.definition;
        auto const known = states.find(definition.id);
        if (definition.initial_status.empty())
            definition.initial_status =
                text_of(known == states.end() ? consul::status::critical : known->second);
        made.checks.push_back(std::move(definition));
    }
    if (!maintenance.empty()) {
        consul::check_definition check;
        check.id = maintenance_check_id(made.id);
        check.name = "Service Maintenance Mode";
        check.notes = maintenance;
        check.ttl = std::chrono::hours(24);
        check.initial_status = "critical";
        made.checks.push_back(std::move(check));
    }
    return made;
}

std::string difference(registration const& wanted, observed const& agent,
                       std::string_view instance) {
    auto const at = agent.services.find(wanted.service.id);
    if (at == agent.services.end()) return "it is not registered";
    auto const& have = at->second;
    if (auto const whose = owner_of(have, instance); whose != owner::ours)
        return whose == owner::left_behind ? "it was left without an owner" : "it is not ours";
    if (have.meta != full_meta(wanted, instance)) return "meta or checks";
    if (have.name != wanted.service.name) return "name";
    if (have.address != wanted.service.address || have.port != wanted.service.port)
        return "address";
    if (have.enable_tag_override != wanted.service.enable_tag_override) return "tag override";
    // With EnableTagOverride the tags belong to whoever sets them in the catalog.
    if (!have.enable_tag_override && as_set(have.tags) != as_set(wanted.service.tags))
        return "tags";
    for (auto const& check : wanted.checks)
        if (!agent.checks.contains(check.definition.id))
            return "check " + check.definition.id + " is gone";
    return {};
}

void apply_registration(observed& agent, consul::service_definition const& written) {
    auto previous = std::map<std::string, consul::agent_check>();
    for (auto it = agent.checks.begin(); it != agent.checks.end();) {
        if (it->second.service_id == written.id) {
            previous.insert(*it);
            it = agent.checks.erase(it);
        } else {
            ++it;
        }
    }
    consul::agent_service entry;
    entry.id = written.id;
    entry.name = written.name;
    entry.tags = written.tags;
    entry.address = written.address;
    entry.port = written.port;
    entry.meta = written.meta;
    entry.enable_tag_override = written.enable_tag_override;
    agent.services[written.id] = std::move(entry);
    for (auto const& c : written.checks) {
        consul::agent_check check;
        check.id = c.id;
        check.name = c.name;
        check.notes = c.notes;
        check.service_id = written.id;
        check.status = c.initial_status == "passing"   ? consul::status::passing
                       : c.initial_status == "warning" ? consul::status::warning
                                                       : consul::status::critical;
        // Consul keeps the state of a check that it had already under the same ID.
        if (auto const old = previous.find(c.id); old != previous.end()) {
            check.status = old->second.status;
            check.output = old->second.output;
        }
        agent.checks[c.id] = std::move(check);
    }
}

void apply_deregistration(observed& agent, std::string const& service_id) {
    agent.services.erase(service_id);
    std::erase_if(agent.checks,
                  [&](auto const& entry) { return entry.second.service_id == service_id; });
}

}  // namespace bevmesh::registrar
