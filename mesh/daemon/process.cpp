#include "mesh/daemon/process.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <malloc.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "mesh/daemon/fingerprint.hpp"
#include "mesh/daemon/notify.hpp"
#include "mesh/daemon/secret_line.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {
namespace {

namespace asio = boost::asio;

/// For an end in order; then it is forced, because a service manager would do so anyway.
constexpr seconds shutdown_limit{10};

std::string utc_now() {
    auto const t = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&t, &parts);
    std::array<char, 32> text{};
    auto const n = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), n};
}

/// What a burst (all certificates at once, a thousand containers) took from the system and left in
/// the heap's gaps: glibc gives back only what is at the heap's end.
net::awaitable<void> give_memory_back() {
    constexpr std::size_t worth_it = 1U << 20U;
    for (;;) {
        milliseconds const pause{10'000};
        co_await net::sleep_for(pause);
        if (::mallinfo2().fordblks > worth_it) ::malloc_trim(0);
    }
}

/// Of this boot of the machine; empty where there is none to be had.
std::string read_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

/// On the clock that a login is timed with; one that has ended counts too.
std::optional<instant> first_end(std::vector<certificate_view> const& all) {
    auto const wall = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    std::optional<instant> first;
    for (auto const& each : all) {
        if (!each.state->proven) continue;
        auto const end = net::now() + (each.state->proven->not_after - wall);
        first = std::min(end, first.value_or(end));
    }
    return first;
}

result<secret> token_of(options const& how, mesh_config const& config) {
    if (!how.consul_token.empty()) return how.consul_token;
    return read_secret_line(config.consul.token_file, "the Consul token");
}

}  // namespace

process::process(options how, mesh_config config, std::string node)
    : how_(std::move(how)),
      config_(std::make_shared<mesh_config const>(std::move(config))),
      node_(std::move(node)),
      signals_(context_, SIGTERM, SIGINT, SIGHUP),
      tasks_(context_.get_executor(),
             [this](std::string_view task, std::string const& what) {
                 // A part that is gone would be a daemon that only looks alive.
                 log_.error("a part ended by an exception; stopping",
                            {{"part", std::string(task)}, {"reason", what}});
                 failed_ = true;
                 ::raise(SIGTERM);
             }),
      boot_id_(read_boot_id()),
      started_at_(utc_now()),
      config_loaded_at_(started_at_),
      started_(net::now()) {}

process::~process() = default;

result<void> process::prepare() {
    auto const executor = context_.get_executor();
    if (auto const opened = open_agent(); !opened) return opened.error();
    auto engine = docker::make_client(executor, config_->docker);
    if (!engine) return engine.error();
    docker_ = std::move(*engine);
    if (auto const opened = open_state(); !opened) return opened.error();

    prober_ = registrar::make_prober(executor);
    auto const seed = static_cast<std::uint64_t>(net::now().time_since_epoch().count());
    core_ = std::make_unique<registrar::reconciler>(*config_, node_, seed);
    driver_ = std::make_unique<registrar::driver>(executor, *core_, *docker_, *consul_, *prober_);
    auto others = peers::make(executor, *config_, node_, fingerprint_of(*config_));
    if (!others) return others.error();
    peers_ = std::move(*others);
    vault_ = open_vault(executor, *config_, node_, seed + 3);
    routes_ = std::make_unique<routes>(
        node_, [this](std::string to, call c) { return forward(std::move(to), std::move(c)); });
    peers_->mount(*routes_, [this] { return describe_peer(); });
    api_ = std::make_unique<api>(
        api_sources{*core_, *driver_, *consul_, *peers_, [this] { return describe_process(); },
                    [this](std::string const& service, std::string const& reason) {
                        return keep_maintenance(service, reason);
                    }});
    api_->mount(*routes_);
    mount_verify();
    auto groups = failover_groups::make(executor, *config_, node_, {*consul_, *docker_, *peers_});
    if (!groups) return groups.error();
    failover_ = std::move(*groups);
    failover_->mount(*routes_);
    certificate_hooks hooks;
    hooks.renew_own = [this] { return renew_own(); };
    hooks.reload_agent = [this](certs::dates of) {
        return consul_->reload(of == certs::dates::ignored);
    };
    hooks.is_primary = [this](std::string const& service) {
        return failover_->is_primary(service);
    };
    auto kept = certificates::make(executor, *config_, node_, *peers_, *docker_, *consul_,
                                   vault_ ? &vault_->client() : nullptr, std::move(hooks));
    if (!kept) return kept.error();
    certificates_ = std::move(*kept);
    if (vault_) vault_->needed_by([this] { return first_end(certificates_->views()); });
    certificates_->mount(*routes_);
    return listen();
}

result<void> process::open_agent() {
    auto const token = token_of(how_, *config_);
    if (!token) return token.error();
    auto as = consul::identity::make(config_->consul, config_->state_dir,
                                     [log = log_](bool well, std::string const& how) {
                                         if (well)
                                             log.info("Consul is asked " + how);
                                         else
                                             log.warning("Consul is asked " + how);
                                     });
    if (!as) return as.error();
    identity_ = std::move(*as);
    auto agent = consul::make_client(context_.get_executor(), config_->consul, identity_, *token);
    if (!agent) return agent.error();
    consul_ = std::move(*agent);
    return {};
}

void process::mount_verify() {
    inspector_ = std::make_unique<inspector>(inspector::sources{*core_, *docker_, *consul_});
    verifier_ = std::make_unique<verifier>(
        *core_, *inspector_, [this](std::string to, std::string target, milliseconds deadline) {
            peer_question what;
            what.target = std::move(target);
            what.deadline = deadline;
            return peers_->request(std::move(to), std::move(what));
        });
    inspector_->mount(*routes_);
    verifier_->mount(*routes_);
}

int process::run() {
    asio::co_spawn(context_, main(), asio::detached);
    context_.run();
    return failed_ ? 1 : 0;
}

net::awaitable<void> process::main() {
    tasks_.spawn(obey_signals(), "signals");
    tasks_.spawn(driver_->run(), "registrar");
    tasks_.spawn(server_->run(), "API");
    if (peer_server_) tasks_.spawn(peer_server_->run(), "peers' API");
    if (metrics_server_) tasks_.spawn(metrics_server_->run(), "metrics");
    tasks_.spawn(peers_->watch(), "peers");
    if (vault_) tasks_.spawn(vault_->run(), "vault");
    if (!failover_->empty()) tasks_.spawn(failover_->run(), "failover");
    if (!certificates_->empty()) tasks_.spawn(certificates_->run(), "certificates");
    tasks_.spawn(identify_agent(), "identify the agent");
    tasks_.spawn(feed_watchdog(), "watchdog");
    tasks_.spawn(give_memory_back(), "memory");
    tasks_.spawn(tell_manager(), "status");
    for (auto const& [service, reason] : maintenance_)
        driver_->give(registrar::maintenance_asked{service, true, reason});
    log_.info("started", {{"version", BEVMESH_VERSION},
                          {"node", node_},
                          {"mesh", config_->name},
                          {"config", how_.config_file}});
    notify_ready("node " + node_ + ": starting");
    co_await tasks_.join();
    log_.info("stopped; registrations stay");
    signals_.cancel();
    if (last_resort_) last_resort_->cancel();
}

net::awaitable<void> process::obey_signals() {
    for (;;) {
        int const signal = co_await signals_.async_wait(asio::use_awaitable);
        if (signal == SIGHUP) {
            reload();
            continue;
        }
        log_.info("asked to stop", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
        notify_stopping();
        end_at_once_on_next_signal();
        co_await failover_->prepare_restart();
        server_->stop();
        if (peer_server_) peer_server_->stop();
        if (metrics_server_) metrics_server_->stop();
        tasks_.cancel();
        co_return;
    }
}

void process::end_at_once_on_next_signal() {
    last_resort_.emplace(context_, shutdown_limit);
    last_resort_->async_wait([this](boost::system::error_code const& canceled) {
        if (canceled) return;
        for (auto const& name : tasks_.names())
            log_.error("still running", {{"part", name}});
        ::_exit(1);
    });
    signals_.async_wait([](boost::system::error_code const& canceled, int) {
        if (!canceled) ::_exit(1);
    });
}

void process::reload() {
    notify_reloading();
    auto loaded = load_configuration(how_);
    for (auto const& p : loaded.problems)
        log_.error("configuration not taken", {{"problem", config::to_string(p)}});
    auto const& fresh = loaded.value;
    if (loaded.problems.empty() && !fresh.nodes.contains(node_)) {
        log_.error("configuration not taken: it lacks this node", {{"node", node_}});
    } else if (loaded.problems.empty() && fresh.failover != config_->failover) {
        log_.error("configuration not taken: failover groups change by a restart of the daemon");
    } else if (loaded.problems.empty()) {
        auto const token = token_of(how_, fresh);
        if (token)
            consul_->set_token(*token);
        else
            log_.error("the old token stays", {{"reason", describe(token.error())}});
        if (fresh.consul != config_->consul || fresh.docker != config_->docker ||
            fresh.api != config_->api || fresh.state_dir != config_->state_dir ||
            fresh.peers != config_->peers || fresh.metrics != config_->metrics ||
            fresh.vault != config_->vault ||
            fresh.tls.certificate.empty() != config_->tls.certificate.empty() ||
            fresh.nodes.at(node_).address != config_->nodes.at(node_).address)
            log_.warning(
                "consul, docker, api, peers, metrics, vault, state_dir, the presence of tls and "
                "this node's address take effect when the daemon is restarted");
        if (auto const taken = peers_->configure(fresh, fingerprint_of(fresh)); !taken)
            log_.error("the old certificates stay", {{"reason", describe(taken.error())}});
        auto const old =
            std::exchange(config_, std::make_shared<mesh_config const>(std::move(loaded.value)));
        log::configure(config_->log);
        driver_->give(registrar::configured{config_.get()});
        config_loaded_at_ = utc_now();
        log_.info("configuration reloaded", {{"config", how_.config_file}});
    }
    notify_ready(summary());
}

net::awaitable<void> process::identify_agent() {
    random_source random(static_cast<std::uint64_t>(net::now().time_since_epoch().count()) + 2);
    backoff_policy const retry{milliseconds(200), milliseconds(10'000)};
    for (unsigned attempt = 0;; ++attempt) {
        auto self = co_await consul_->self();
        if (self) {
            agent_self_ = std::move(*self);
            if (!config_->datacenter.empty() && agent_self_.datacenter != config_->datacenter)
                log_.warning("Consul's agent is in another datacenter than the mesh",
                             {{"agent", agent_self_.datacenter}, {"mesh", config_->datacenter}});
            if (agent_self_.node_name != node_)
                log_.warning("Consul's agent has another node name",
                             {{"agent", agent_self_.node_name}, {"node", node_}});
            co_return;
        }
        auto const wait = backoff_delay(retry, attempt, random);
        co_await net::sleep_for(wait);
    }
}

net::awaitable<void> process::tell_manager() {
    std::string told;
    for (;;) {
        if (auto now = summary(); now != told) {
            notify_status(now);
            told = std::move(now);
        }
        milliseconds const pause{2'000};
        co_await net::sleep_for(pause);
    }
}

std::string process::summary() const {
    std::size_t announced = 0;
    std::size_t all = 0;
    for (auto const& v : core_->services().view()) {
        ++all;
        announced += static_cast<std::size_t>(v.phase == "announced");
    }
    auto text = "node " + node_ + ": " + std::to_string(announced) + " of " + std::to_string(all) +
                " services announced";
    if (!driver_->engine().reachable) text += "; Docker does not answer";
    if (!driver_->agent().reachable) text += "; Consul does not answer";
    return text;
}

result<void> process::open_state() {
    auto opened = state_directory::open(config_->state_dir);
    if (!opened) {
        if (opened.error().code == errc::conflict) return opened.error();
        log_.warning("nothing will survive a restart of the daemon",
                     {{"reason", describe(opened.error())}});
        return {};
    }
    auto kept = opened->maintenance();
    if (kept)
        maintenance_ = std::move(*kept);
    else
        log_.warning("the wishes for maintenance are lost", {{"reason", describe(kept.error())}});
    state_.emplace(std::move(*opened));
    return {};
}

result<void> process::keep_maintenance(std::string const& service, std::string const& reason) {
    if (reason.empty())
        maintenance_.erase(service);
    else
        maintenance_[service] = reason;
    result<void> kept =
        failure{errc::local_error, "there is no state directory at " + config_->state_dir};
    if (state_) kept = state_->keep(maintenance_);
    if (!kept)
        log_.warning("a wish for maintenance will be forgotten at the next restart",
                     {{"service", service}, {"reason", describe(kept.error())}});
    return kept;
}

nlohmann::json process::describe_peer() const {
    using namespace std::chrono;
    auto const wall = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    return {{"node", node_},
            {"mesh", config_->name},
            {"version", BEVMESH_VERSION},
            {"config", peers_->fingerprint()},
            {"boot_id", boot_id_},
            {"started_at", started_at_},
            {"time_ms", wall.count()}};
}

nlohmann::json process::describe_process() const {
    auto const up = std::chrono::duration_cast<seconds>(net::now() - started_);
    return {{"version", BEVMESH_VERSION},
            {"node", node_},
            {"mesh", config_->name},
            {"domain", config_->domain},
            {"pid", ::getpid()},
            {"started_at", started_at_},
            {"uptime_seconds", up.count()},
            {"config_file", how_.config_file},
            {"config_loaded_at", config_loaded_at_},
            {"config", peers_->fingerprint()},
            {"consul",
             {{"address", to_string(consul_->peer())},
              {"version", agent_self_.version},
              {"node_name", agent_self_.node_name},
              {"datacenter", agent_self_.datacenter}}},
            {"docker", {{"address", to_string(docker_->peer())}}}};
}

}  // namespace bevmesh::daemon
