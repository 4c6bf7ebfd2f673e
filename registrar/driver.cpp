#include "registrar/driver.hpp"

#include <array>
#include <cstdio>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/consul/watch_rules.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::registrar {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

constexpr backoff_policy reconnect{milliseconds(100), milliseconds(5'000)};

/// How long one blocking query on our own entry is held; Consul adds up to a sixteenth.
constexpr milliseconds watch_wait{std::chrono::minutes(5)};

/// Events after which a container may serve otherwise than before. The others (exec_start, kill,
/// attach, resize, ...) come by the thousand and change nothing that is read here.
bool matters(std::string_view action) {
    static constexpr std::array<std::string_view, 9> names{
        "start", "die", "pause", "unpause", "rename", "update", "destroy", "restart", "oom"};
    if (action.starts_with("health_status")) return true;
    for (auto const& n : names)
        if (action == n) return true;
    return false;
}

/// As the engine writes StartedAt: RFC 3339 in UTC.
std::string utc_text(std::int64_t unix_nanos) {
    using namespace std::chrono;
    sys_time<nanoseconds> const at{nanoseconds(unix_nanos)};
    auto const day = floor<days>(at);
    year_month_day const date(day);
    hh_mm_ss const time(at - day);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

nanoseconds since_unix_epoch() {
    return std::chrono::system_clock::now().time_since_epoch();
}

void note_done(comparison_counts& side, instant since) {
    ++side.done;
    side.last_took = net::now() - since;
    side.last_done = std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

container_hint hint_of(docker::event const& e) {
    container_hint hint{e.actor_id, e.action};
    if (e.action == "die") hint.ended_at = utc_text(e.time_nano);
    return hint;
}

}  // namespace

driver::driver(asio::any_io_executor executor, reconciler& core, docker::client& engine,
               consul::client& agent, prober& probes)
    : executor_(executor),
      core_(core),
      docker_(engine),
      consul_(agent),
      prober_(probes),
      tasks_(executor,
             [this](std::string_view task, std::string const& what) {
                 log_.error("a task ended by an exception",
                            {{"task", std::string(task)}, {"reason", what}});
             }),
      wake_(executor) {}

awaitable<void> driver::run() {
    tasks_.spawn(follow_engine(), "follow the engine");
    tasks_.spawn(watch_agent(core_.own_service_id()), "watch the agent");
    tasks_.spawn(keep_time(), "keep time");
    give(tick{});
    co_await tasks_.join();
}

void driver::give(event e) {
    events_.push_back(std::move(e));
    drain();
}

// An action may be answered while the answer to another is being handled: one after the other.
void driver::drain() {
    if (draining_) return;
    draining_ = true;
    while (!events_.empty()) {
        auto const e = std::move(events_.front());
        events_.pop_front();
        for (auto& a : core_.handle(e, net::now()))
            perform(std::move(a));
    }
    draining_ = false;
    wake_.cancel();
}

void driver::perform(action a) {
    std::visit(
        overloaded{
            [&](list_containers) { tasks_.spawn(do_list_containers(), "list containers"); },
            [&](inspect_container& i) { tasks_.spawn(do_inspect(std::move(i.id)), "inspect"); },
            [&](list_agent) { tasks_.spawn(do_list_agent(), "list the agent"); },
            [&](look_up& l) { tasks_.spawn(do_look_up(std::move(l.service_id)), "look up"); },
            [&](run_probe& p) { tasks_.spawn(do_probe(std::move(p)), "probe"); },
            [&](register_service& r) { tasks_.spawn(do_register(std::move(r)), "register"); },
            [&](deregister_service& d) { tasks_.spawn(do_deregister(std::move(d)), "deregister"); },
            [&](report_check& r) { tasks_.spawn(do_report(std::move(r)), "report"); },
            [&](set_maintenance& m) { tasks_.spawn(do_maintenance(std::move(m)), "maintenance"); },
            [&](tell& t) {
                auto const text = t.what.text;
                if (t.what.level == note::severity::warning)
                    log_.warning(text, {{"code", t.what.code}});
                else
                    log_.info(text, {{"code", t.what.code}});
            },
        },
        a);
}

awaitable<void> driver::keep_time() {
    for (;;) {
        auto const at = core_.next_wake();
        if (at)
            wake_.expires_after(std::max(*at - net::now(), nanoseconds(0)));
        else
            wake_.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code canceled;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
        auto const due = core_.next_wake();
        if (due && *due <= net::now()) give(tick{});
    }
}

awaitable<void> driver::follow_engine() {
    random_source random(static_cast<std::uint64_t>(net::now().time_since_epoch().count()));
    unsigned failures = 0;
    for (;;) {
        auto const before = net::now();
        auto const ended = co_await follow_events_once();
        if (engine_state_.reachable) give(engine_down{});
        ++counts_.engine_errors;
        if (ended.error().code != errc::canceled) engine_answers(false, describe(ended.error()));
        // A stream that lived for a while is a restart of the engine, not a series of failures.
        if (net::now() - before > seconds(10)) failures = 0;
        auto const wait = backoff_delay(reconnect, failures++, random);
        co_await net::sleep_for(wait);
    }
}

awaitable<result<void>> driver::follow_events_once() {
    auto const version = co_await docker_.ping();
    if (!version) co_return version.error();
    api_version_ = *version;
    auto const info = co_await docker_.info();
    if (!info) co_return info.error();
    auto stream = co_await docker_.events(0);
    if (!stream) co_return stream.error();
    engine_info_ = *info;
    ++counts_.streams;
    engine_answers(true, {});
    give(engine_up{*info});
    for (;;) {
        auto const e = co_await (*stream)->next();
        if (!e) co_return e.error();
        if (e->type == "container" && matters(e->action)) {
            ++counts_.events;
            counts_.event_lag.add(since_unix_epoch() - nanoseconds(e->time_nano));
            give(hint_of(*e));
        } else if (e->type == "network") {
            auto const container = e->attributes.find("container");
            if (container != e->attributes.end())
                give(container_hint{container->second, "network " + e->action});
        }
    }
}

awaitable<void> driver::watch_agent(std::string own_entry) {
    random_source random(static_cast<std::uint64_t>(net::now().time_since_epoch().count()) + 1);
    // This query blocks by hash, which watch() does not; the pace is the same, also for an agent,
    // or a proxy before it, that answers at once.
    consul::watch_policy policy;
    policy.retry = reconnect;
    consul::watch_rules rules(policy);
    consul::blocking block;
    for (;;) {
        auto const early = rules.next(net::now()).not_before - net::now();
        if (early > nanoseconds(0)) {
            co_await net::sleep_for(std::chrono::ceil<milliseconds>(early));
        }
        auto const seen = co_await consul_.service(own_entry, block);
        if (seen) {
            (void)rules.on_answer({}, false, net::now(), random);
            block.hash = seen->content_hash;
            block.wait = watch_wait;
        } else {
            // Gone after it was there: the agent restarted, or lost what it held.
            if (!block.hash.empty()) give(agent_failed{});
            rules.on_failure(net::now(), random);
            block = {};
        }
    }
}

awaitable<void> driver::do_list_containers() {
    auto const since = net::now();
    auto listed = co_await docker_.list();
    if (!listed) {
        ++counts_.engine_errors;
        ++counts_.engine.failed;
        engine_answers(false, describe(listed.error()));
        give(listing_failed{});
        co_return;
    }
    note_done(counts_.engine, since);
    engine_answers(true, {});
    containers_listed e;
    for (auto& c : *listed)
        e.entries.emplace_back(std::move(c.id), std::move(c.fingerprint));
    give(std::move(e));
}

awaitable<void> driver::do_inspect(std::string id) {
    auto seen = co_await docker_.inspect(id);
    if (seen) {
        give(container_inspected{std::move(*seen)});
    } else if (seen.error().code == errc::not_found) {
        give(container_missing{id});
    } else {
        ++counts_.engine_errors;
        log_.debug("could not inspect a container",
                   {{"container", id.substr(0, 12)}, {"reason", describe(seen.error())}});
        give(inspection_failed{id});
    }
}

awaitable<void> driver::do_list_agent() {
    auto const since = net::now();
    auto services = co_await consul_.services();
    if (!services) co_return agent_listing_failed(describe(services.error()));
    auto checks = co_await consul_.checks();
    if (!checks) co_return agent_listing_failed(describe(checks.error()));
    // What the token may not see would look absent, and be registered over or left behind.
    if (services->filtered || checks->filtered)
        co_return agent_listing_failed(
            "the token may not read all services of the agent (it needs service:read and "
            "node:read); nothing is changed until it may");
    note_done(counts_.agent, since);
    counts_.checks.clear();
    for (auto const& [id, check] : checks->value)
        if (!check.service_id.empty()) ++counts_.checks[std::string(consul::name(check.status))];
    agent_answers(true, {});
    agent_listed e;
    e.agent.services = std::move(services->value);
    e.agent.checks = std::move(checks->value);
    give(std::move(e));
}

awaitable<void> driver::do_look_up(std::string id) {
    auto seen = co_await consul_.entry(id);
    if (seen) {
        give(looked_up{id, std::move(*seen)});
    } else if (seen.error().code == errc::not_found) {
        give(looked_up{id, {}});
    } else {
        ++counts_.agent_errors;
        log_.debug("could not look up a service",
                   {{"service", id}, {"reason", describe(seen.error())}});
        give(look_up_failed{id});
    }
}

awaitable<void> driver::do_probe(run_probe what) {
    auto outcome = co_await prober_.run(what.probe);
    give(probed{what.service_id, what.check_id, what.round, outcome.passing,
                std::move(outcome.detail)});
}

awaitable<void> driver::do_register(register_service what) {
    result<void> outcome;
    for (auto const& id : what.reborn_checks) {
        outcome = co_await consul_.deregister_check(id);
        if (!outcome && outcome.error().code == errc::not_found) outcome = result<void>();
        if (!outcome) break;
    }
    auto const& d = what.definition;
    std::string const id = d.id;
    if (outcome) outcome = co_await consul_.register_service(d);
    if (outcome) {
        std::string states;
        for (auto const& c : d.checks)
            states += (states.empty() ? "" : ",") + c.initial_status;
        log_.info("registered", {{"service", d.name},
                                 {"id", id},
                                 {"address", d.address + ":" + std::to_string(d.port)},
                                 {"checks", states.empty() ? "none" : states},
                                 {"because", what.why}});
    }
    written_with(id, "register", outcome);
}

awaitable<void> driver::do_deregister(deregister_service what) {
    auto const outcome = co_await consul_.deregister_service(what.service_id);
    if (outcome) log_.info("deregistered", {{"id", what.service_id}, {"because", what.why}});
    written_with(what.service_id, "deregister", outcome);
}

awaitable<void> driver::do_report(report_check what) {
    auto const outcome = co_await consul_.update_check(what.check_id, what.status, what.output);
    if (outcome)
        log_.info("reported", {{"check", what.check_id},
                               {"status", std::string(consul::name(what.status))},
                               {"output", what.output}});
    written_with(what.service_id, "report", outcome);
}

awaitable<void> driver::do_maintenance(set_maintenance what) {
    auto const outcome =
        co_await consul_.service_maintenance(what.service_id, what.on, what.reason);
    if (outcome)
        log_.info(what.on ? "put into maintenance" : "taken out of maintenance",
                  {{"id", what.service_id}, {"reason", what.reason}});
    written_with(what.service_id, "maintenance", outcome);
}

void driver::written_with(std::string const& id, std::string const& what,
                          result<void> const& outcome) {
    if (outcome) return give(written{id, {}, {}});
    if (outcome.error().code != errc::not_found) {
        ++counts_.agent_errors;
        ++counts_.failed_writes[what];
        log_.warning("a write to Consul failed; it is tried again",
                     {{"id", id}, {"write", what}, {"reason", describe(outcome.error())}});
    }
    give(written{id, outcome.error().code, outcome.error().doing});
}

void driver::agent_listing_failed(std::string reason) {
    ++counts_.agent_errors;
    ++counts_.agent.failed;
    agent_answers(false, std::move(reason));
    give(agent_failed{});
}

void driver::agent_answers(bool yes, std::string detail) {
    if (yes != agent_state_.reachable || (!yes && agent_state_.detail != detail)) {
        if (yes)
            log_.info("Consul answers", {{"at", to_string(consul_.peer())}});
        else
            log_.warning("Consul does not answer; registrations stay as they are",
                         {{"reason", detail}});
    }
    agent_state_ = {yes, std::move(detail)};
}

void driver::engine_answers(bool yes, std::string detail) {
    if (yes != engine_state_.reachable || (!yes && engine_state_.detail != detail)) {
        if (yes)
            log_.info("Docker answers", {{"at", to_string(docker_.peer())},
                                         {"version", engine_info_.server_version},
                                         {"api", api_version_}});
        else
            log_.warning("Docker does not answer; registrations stay as they are",
                         {{"reason", detail}});
    }
    engine_state_ = {yes, std::move(detail)};
}

}  // namespace bevmesh::registrar
