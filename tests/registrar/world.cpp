#include "tests/registrar/world.hpp"

#include <algorithm>

namespace bevmesh::test {

using namespace registrar;

namespace {

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

service_config one(std::string name, std::uint16_t port, check_kind kind) {
    service_config s;
    s.name = std::move(name);
    instance_config i;
    i.match.container = s.name;
    i.port = port;
    i.nodes = {"thanos"};
    s.instances = {i};
    check_config c;
    c.kind = kind;
    if (kind == check_kind::http) c.path = "/health";
    s.checks = std::vector<check_config>{c};
    return s;
}

std::string fingerprint(docker::container const& c) {
    return c.started_at + std::to_string(static_cast<int>(c.state)) +
           std::to_string(static_cast<int>(c.health)) + c.name;
}

bool listed(docker::run_state s) {
    return s == docker::run_state::running || s == docker::run_state::paused ||
           s == docker::run_state::restarting;
}

}  // namespace

mesh_config small_config() {
    mesh_config c;
    c.name = "test";
    c.datacenter = "dc1";
    c.nodes["thanos"].address = "10.0.0.1";
    c.services = {one("redis", 6379, check_kind::redis), one("web", 8080, check_kind::http),
                  one("db", 5432, check_kind::tcp)};
    auto unit = one("unit", 9000, check_kind::tcp);
    unit.instances[0].match = {};
    unit.instances[0].host = true;
    c.services.push_back(unit);
    return c;
}

world::world(mesh_config settings, std::uint64_t seed) : config(std::move(settings)) {
    open_ports.insert(9000);
    restart_daemon(seed);
}

docker::container& world::run(std::string const& name, std::uint16_t port, bool answers_at_once) {
    ++made_;
    docker::container c;
    auto const number = std::to_string(made_);
    c.id = std::string(64 - number.size(), 'c') + number;
    c.name = name;
    c.image = "img/" + name;
    c.network_mode = "bridge";
    c.state = docker::run_state::running;
    c.started_at = "2026-01-01T00:00:" + std::string(6 - number.size(), '0') + number + "Z";
    c.exposed = {{port, "tcp"}};
    c.ports[{port, "tcp"}] = {{"0.0.0.0", port}};
    c.wanted_ports = c.ports;
    c.networks["bridge"].ip = "172.17.0.2";
    if (answers_at_once) open_ports.insert(port);
    auto& kept = containers[c.id] = c;
    hint({c.id, "start"});
    return kept;
}

void world::hint(container_hint h) {
    if (!engine_is_up) return;
    if (hints_wait)
        hints.push_back(std::move(h));
    else
        give(std::move(h));
}

docker::container* world::find(std::string const& name) {
    docker::container* newest = nullptr;
    for (auto& [id, c] : containers)
        if (c.name == name && (!newest || newest->started_at < c.started_at)) newest = &c;
    return newest;
}

void world::change(std::string const& name, std::function<void(docker::container&)> const& how,
                   std::string const& kind) {
    auto* c = find(name);
    if (!c) return;
    how(*c);
    if (!kind.empty()) hint({c->id, kind});
}

void world::remove(std::string const& name) {
    auto* c = find(name);
    if (!c) return;
    auto const id = c->id;
    auto ended = c->started_at;
    ended.insert(ended.size() - 1, ".5");
    containers.erase(id);
    hint({id, "die", ended});
}

void world::engine(bool up) {
    if (engine_is_up == up) return;
    engine_is_up = up;
    if (up)
        give(engine_up{{"engine-1", "thanos", "20.10.24"}});
    else
        give(engine_down{});
}

void world::agent_loses_everything() {
    std::erase_if(agent.services, [&](auto const& e) { return !untouchable.contains(e.first); });
    std::erase_if(agent.checks,
                  [&](auto const& e) { return !untouchable.contains(e.second.service_id); });
    give(agent_failed{});
}

void world::admins_maintenance(std::string const& service_id, bool on) {
    auto const id = registrar::maintenance_check_id(service_id);
    agent.checks.erase(id);
    if (!on) return;
    auto& check = agent.checks[id];
    check.id = id;
    check.service_id = service_id;
    check.notes = "by hand";
}

void world::agent_restarts_with_data() {
    for (auto& [id, check] : agent.checks)
        check.status = consul::status::critical;
    give(agent_failed{});
}

void world::foreign(std::string const& id, std::string const& name,
                    std::map<std::string, std::string> meta) {
    consul::agent_service s;
    s.id = id;
    s.name = name;
    s.address = "192.0.2.1";
    s.meta = std::move(meta);
    agent.services[id] = s;
    untouchable.insert(id);
    trace.push_back("foreign " + id);
}

void world::restart_daemon(std::uint64_t seed) {
    answers.clear();
    daemon = std::make_unique<reconciler>(config, "thanos", seed);
    give(tick{});
    if (engine_is_up) give(engine_up{{"engine-1", "thanos", "20.10.24"}});
}

void world::give(event const& e) {
    if (verbose) trace.push_back("<- " + to_string(e));
    for (auto const& a : daemon->handle(e, now)) {
        trace.push_back(to_string(a));
        perform(a);
    }
}

void world::write(std::string const& id, std::optional<errc> failed, bool has_effect,
                  std::function<std::optional<errc>()> const& effect) {
    ++puts;
    if (!agent_is_up) {
        answers.emplace_back(written{id, errc::unreachable, "connection refused"});
        return;
    }
    std::optional<errc> outcome = failed;
    if (!failed || has_effect) {
        auto const real = effect();
        if (!failed) outcome = real;
    }
    answers.emplace_back(written{id, outcome, outcome ? "made to fail" : ""});
}

void world::perform(action const& a) {
    bool has_effect = false;
    auto const failed = fault ? fault(a, has_effect) : std::nullopt;
    std::visit(overloaded{
                   [&](list_containers) {
                       if (failed || !engine_is_up)
                           return answers.emplace_back(listing_failed{}), void();
                       containers_listed l;
                       for (auto const& [id, c] : containers)
                           if (listed(c.state)) l.entries.emplace_back(id, fingerprint(c));
                       answers.emplace_back(std::move(l));
                   },
                   [&](inspect_container const& i) {
                       auto const it = containers.find(i.id);
                       if (failed || !engine_is_up)
                           answers.emplace_back(inspection_failed{i.id});
                       else if (it == containers.end())
                           answers.emplace_back(container_missing{i.id});
                       else
                           answers.emplace_back(container_inspected{it->second});
                   },
                   [&](list_agent) {
                       if (failed || !agent_is_up)
                           answers.emplace_back(agent_failed{});
                       else
                           answers.emplace_back(agent_listed{agent});
                   },
                   [&](look_up const& l) {
                       if (failed || !agent_is_up)
                           return answers.emplace_back(look_up_failed{l.service_id}), void();
                       auto const it = agent.services.find(l.service_id);
                       looked_up answer{l.service_id, {}};
                       if (it != agent.services.end()) {
                           answer.entry = consul::agent_entry{it->second, {}};
                           for (auto const& [id, check] : agent.checks)
                               if (check.service_id == l.service_id)
                                   answer.entry->checks.emplace(id, check);
                       }
                       answers.emplace_back(std::move(answer));
                   },
                   [&](run_probe const& p) {
                       bool const ok = !failed && open_ports.contains(p.probe.port);
                       answers.emplace_back(
                           probed{p.service_id, p.check_id, p.round, ok, ok ? "" : "refused"});
                   },
                   [&](register_service const& r) {
                       if (untouchable.contains(r.definition.id)) touched = r.definition.id;
                       write(r.definition.id, failed, has_effect, [&] {
                           for (auto const& id : r.reborn_checks)
                               agent.checks.erase(id);
                           apply_registration(agent, r.definition);
                           return std::optional<errc>();
                       });
                   },
                   [&](deregister_service const& d) {
                       if (untouchable.contains(d.service_id)) touched = d.service_id;
                       write(d.service_id, failed, has_effect, [&]() -> std::optional<errc> {
                           if (!agent.services.contains(d.service_id)) return errc::not_found;
                           apply_deregistration(agent, d.service_id);
                           return {};
                       });
                   },
                   [&](report_check const& r) {
                       write(r.service_id, failed, has_effect, [&]() -> std::optional<errc> {
                           if (!agent.checks.contains(r.check_id)) return errc::not_found;
                           agent.checks[r.check_id].status = r.status;
                           agent.checks[r.check_id].output = r.output;
                           return {};
                       });
                   },
                   [&](set_maintenance const& m) {
                       write(m.service_id, failed, has_effect, [&]() -> std::optional<errc> {
                           if (!agent.services.contains(m.service_id)) return errc::not_found;
                           auto const id = maintenance_check_id(m.service_id);
                           if (!m.on) return agent.checks.erase(id), std::nullopt;
                           agent.checks.try_emplace(
                               id, consul::agent_check{id, "", {}, m.service_id, "", "", m.reason});
                           return {};
                       });
                   },
                   [](tell const&) {},
               },
               a);
}

void world::run_quiet() {
    for (unsigned steps = 0; !answers.empty() && steps < 100'000; ++steps) {
        auto const e = std::move(answers.front());
        answers.pop_front();
        give(e);
    }
}

void world::advance(milliseconds by) {
    auto const until = now + by;
    run_quiet();
    for (auto at = daemon->next_wake(); at && *at <= until; at = daemon->next_wake()) {
        now = std::max(now + milliseconds(1), *at);
        give(tick{});
        run_quiet();
    }
    now = std::max(now, until);
}

bool world::converge(milliseconds limit) {
    auto const until = now + limit;
    do {
        run_quiet();
        if (daemon->idle()) return true;
        advance(milliseconds(100));
    } while (now < until);
    return false;
}

std::map<std::string, registration> world::wanted() const {
    context const where{&config, "thanos", "thanos", [this](std::string_view id) {
                            auto const it = containers.find(std::string(id));
                            return it == containers.end() ? nullptr : &it->second;
                        }};
    std::map<std::string, registration> all;
    auto const add = [&](desired const& d) {
        for (auto const& r : d.services) {
            auto const it = all.find(r.service.id);
            if (it == all.end() || it->second.started_at < r.started_at)
                all.insert_or_assign(r.service.id, r);
        }
    };
    add(host_services(where));
    for (auto const& [id, c] : containers)
        add(services_of(c, where));
    return all;
}

std::string world::disagreement() const {
    if (!touched.empty()) return "wrote to " + touched + ", which is not ours";
    auto const want = wanted();
    for (auto const& [id, r] : want) {
        if (untouchable.contains(id)) continue;
        if (auto const d = difference(r, agent, "thanos"); !d.empty()) return id + ": " + d;
        auto const maintenance = agent.checks.contains(maintenance_check_id(id));
        if (maintenance == r.suspended.empty()) return id + ": maintenance is wrong";
        for (auto const& c : r.checks) {
            auto const status = agent.checks.at(c.definition.id).status;
            if (c.by == reporter::docker_health &&
                (status == consul::status::passing) != (r.health == docker::health::healthy))
                return c.definition.id + ": does not mirror Docker";
            if (c.by == reporter::daemon && c.probe &&
                (status == consul::status::passing) != open_ports.contains(c.probe->port))
                return c.definition.id + ": does not say what a probe says";
        }
    }
    for (auto const& [id, entry] : agent.services)
        if (!want.contains(id) && !untouchable.contains(id) && id != "thanos:bevmesh")
            return id + ": nobody wants it";
    return {};
}

}  // namespace bevmesh::test
