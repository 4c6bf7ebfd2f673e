#include "registrar/dns/agent.hpp"

#include <algorithm>
#include <random>

#include "mesh/consul/client.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/waiting.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr std::size_t candidates_max = 8;

secret read_token(std::string const& path) {
    auto const text =
        path.empty() ? result<std::optional<std::string>>(std::nullopt) : read_text(path);
    if (!text || !text->has_value()) return {};
    auto const end = (*text)->find_last_not_of(" \t\r\n");
    return secret((*text)->substr(0, end == std::string::npos ? 0 : end + 1));
}

/// A service that somebody passes for, beside Consul's own; one on another node if there is one.
std::optional<std::string> pick_service(boost::asio::io_context& loop, consul::client& agent,
                                        std::string const& this_node) {
    auto const services = wait_for(loop, agent.catalog_services({}));
    if (!services) return std::nullopt;
    std::optional<std::string> here;
    std::size_t asked = 0;
    for (auto const& [name, tags] : services->value) {
        if (name == "consul" || asked++ == candidates_max) continue;
        auto const health = wait_for(loop, agent.health_service(name, true, "", {}));
        if (!health || health->value.empty()) continue;
        auto const elsewhere = [&](auto const& entry) { return entry.node != this_node; };
        if (std::ranges::any_of(health->value, elsewhere)) return name;
        if (!here) here = name;
    }
    return here;
}

}  // namespace

consul_facts read_agent(mesh_config const& config) {
    consul_facts facts;
    facts.dns_address = config.consul.dns_address;
    facts.domain = config.domain;
    auto as = consul::identity::make(config.consul, config.state_dir, {});
    if (!as) {
        facts.problem = describe(as.error());
        return facts;
    }
    boost::asio::io_context loop;
    auto const agent = consul::make_client(loop.get_executor(), config.consul, std::move(*as),
                                           read_token(config.consul.token_file));
    if (!agent) {
        facts.problem = describe(agent.error());
        return facts;
    }
    auto const self = wait_for(loop, (*agent)->self());
    if (!self) {
        facts.problem = describe(self.error());
        return facts;
    }
    facts.version = self->version;
    facts.max_stale = self->dns_max_stale;
    facts.allow_stale = self->dns_allow_stale;
    facts.enable_truncate = self->dns_enable_truncate;
    facts.service = pick_service(loop, **agent, self->node_name);
    return facts;
}

question_list questions_for(consul_facts const& consul, std::string const& wanted) {
    question_list list;
    auto const full = [&](std::string const& service) {
        return service + ".service." + consul.domain;
    };
    list.names.push_back(full("consul"));
    if (!wanted.empty())
        list.names.push_back(wanted.ends_with("." + consul.domain) ? wanted : full(wanted));
    else if (consul.service)
        list.names.push_back(full(*consul.service));
    // Another one each time: nobody has it in a cache.
    list.missing = full("bevmesh-no-such-" + std::to_string(std::random_device{}()));
    return list;
}

}  // namespace bevmesh::registrar::dns
