#include "mesh/daemon/inspector.hpp"

#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/daemon/fingerprint.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/dns.hpp"
#include "mesh/net/task_group.hpp"
#include "registrar/configured.hpp"
#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::daemon {
namespace {

namespace asio = boost::asio;
namespace verify = registrar::verify;
using net::awaitable;

std::string_view name(docker::run_state s) {
    switch (s) {
        case docker::run_state::created:
            return "created";
        case docker::run_state::running:
            return "running";
        case docker::run_state::paused:
            return "paused";
        case docker::run_state::restarting:
            return "restarting";
        case docker::run_state::removing:
            return "removing";
        case docker::run_state::exited:
            return "exited";
        case docker::run_state::dead:
            return "dead";
    }
    return "";
}

std::string_view name(docker::health h) {
    switch (h) {
        case docker::health::none:
            return "none";
        case docker::health::starting:
            return "starting";
        case docker::health::healthy:
            return "healthy";
        case docker::health::unhealthy:
            return "unhealthy";
    }
    return "";
}

/// Which instances of the configuration it is, wherever they belong.
std::vector<std::string> instances_of(mesh_config const& config, docker::container const& c) {
    std::vector<std::string> keys;
    for (auto const& service : config.services)
        for (std::size_t i = 0; i < service.instances.size(); ++i)
            if (registrar::matches(service.instances[i].match, c))
                keys.push_back(verify::instance_key(service.name, i));
    return keys;
}

/// What a child of a task group throws is lost with it: every look tells its own trouble.
template <class T>
awaitable<result<T>> in_time(awaitable<result<T>> look, std::string doing) {
    co_return co_await net::with_deadline(std::move(look), inspector::limit, std::move(doing));
}

using names = inspector::names;

names ask_blocking(std::string const& server, std::vector<std::string> const& services,
                   std::string const& domain) {
    names found;
    auto const resolver = net::make_dns_resolver(server, inspector::limit);
    std::vector<net::dns_question> questions;
    for (auto const& service : services) {
        auto const full = service + ".service." + domain;
        questions.push_back({full, net::dns_type::a});
        questions.push_back({full, net::dns_type::aaaa});
    }
    auto const answers = resolver ? (*resolver)->ask(questions) : std::vector<net::dns_answer>();
    for (std::size_t i = 0; i < services.size(); ++i) {
        auto& fact = found[services[i]];
        if (!resolver) {
            fact.trouble = describe(resolver.error());
            continue;
        }
        for (auto const* answer : {&answers[2 * i], &answers[2 * i + 1]}) {
            if (answer->has_value())
                for (auto const& record : **answer)
                    fact.addresses.push_back(record.address);
            else if (answer->error().code != errc::not_found)
                fact.trouble = answer->error().doing;
        }
        // One family is enough of an answer.
        if (!fact.addresses.empty()) fact.trouble.clear();
    }
    return found;
}

awaitable<names> ask(std::string server, std::vector<std::string> services, std::string domain) {
    co_return ask_blocking(server, services, domain);
}

}  // namespace

std::int64_t wall_clock_ms() {
    timespec t{};
    ::clock_gettime(CLOCK_REALTIME, &t);
    return std::int64_t{t.tv_sec} * 1'000 + t.tv_nsec / 1'000'000;
}

awaitable<void> inspector::look_at_docker(std::shared_ptr<verify::node_facts> into) {
    auto const networks = co_await in_time(from_.docker.networks(), "list Docker's networks");
    into->docker.ok = networks.has_value();
    if (!networks) {
        into->docker.trouble = describe(networks.error());
        co_return;
    }
    for (auto const& n : *networks)
        into->networks.push_back({n.name, n.driver, n.subnets});
    // The registrar's last look: an inspect of each container here would be one more of each.
    auto const& containers = from_.core.containers();
    for (auto const& id : containers.ids()) {
        auto const* c = containers.find(id);
        if (c == nullptr) continue;
        auto keys = instances_of(from_.core.config(), *c);
        if (keys.empty()) continue;
        into->containers.push_back(
            {c->name, std::string(name(c->state)), std::string(name(c->health)), std::move(keys)});
    }
}

awaitable<void> inspector::look_at_consul(std::shared_ptr<verify::node_facts> into) {
    auto const entries = co_await in_time(from_.consul.services(), "list the agent's services");
    into->consul.ok = entries.has_value();
    if (!entries) {
        into->consul.trouble = describe(entries.error());
        co_return;
    }
    for (auto const& [id, entry] : entries->value)
        into->entries.push_back({id, entry.name});
    // A stale read is answered without a leader too, and says whether there is one.
    consul::blocking stale;
    stale.stale = true;
    auto const any = co_await in_time(from_.consul.catalog_services(stale), "ask for the leader");
    into->leader = any.has_value() && any->known_leader;
}

awaitable<void> inspector::ask_names(std::string server, std::vector<std::string> services,
                                     std::string domain, names* into) {
    auto asking = ask(std::move(server), std::move(services), std::move(domain));
    *into = co_await asio::co_spawn(names_, std::move(asking), asio::use_awaitable);
}

void inspector::look_at_registrar(verify::node_facts& into) const {
    for (auto const& v : from_.core.services().view())
        into.views.push_back({v.id, v.name, v.container, v.phase, v.detail});
}

awaitable<verify::node_facts> inspector::look() {
    auto const executor = co_await asio::this_coro::executor;
    auto const began = net::now();
    auto const facts = std::make_shared<verify::node_facts>();
    auto const& config = from_.core.config();
    facts->node = from_.core.node();
    facts->version = BEVMESH_VERSION;
    facts->config_hash = fingerprint_of(config);
    net::task_group looks(executor, [](std::string_view, std::string const&) {});
    looks.spawn(look_at_docker(facts), "Docker");
    looks.spawn(look_at_consul(facts), "Consul");
    auto const services = verify::names_of(config);
    if (!services.empty()) {
        looks.spawn(
            ask_names(config.consul.dns_address, services, config.domain, &facts->consul_dns),
            "Consul's DNS");
        looks.spawn(ask_names("", services, config.domain, &facts->host_dns), "host's resolver");
    }
    co_await looks.join();
    look_at_registrar(*facts);
    facts->took_ms = std::chrono::duration_cast<milliseconds>(net::now() - began).count();
    facts->wall_ms = wall_clock_ms();
    co_return std::move(*facts);
}

awaitable<result<inspector::catalog>> inspector::read_catalog() {
    catalog found;
    consul::blocking stale;
    stale.stale = true;
    for (auto const& service : verify::names_of(from_.core.config())) {
        std::string const any_tag;
        auto got = co_await from_.consul.health_service(service, false, any_tag, stale);
        if (!got) co_return got.error();
        found[service] = std::move(got->value);
    }
    co_return found;
}

awaitable<result<std::string>> inspector::answer() {
    auto const facts = co_await look();
    co_return verify::encode(facts) + "\n";
}

void inspector::mount(routes& on) {
    on.add("GET", "/v1/node", audience::everybody, [this](call) { return answer(); });
}

}  // namespace bevmesh::daemon
