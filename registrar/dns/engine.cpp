#include "registrar/dns/engine.hpp"

#include <algorithm>
#include <array>
#include <limits.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "mesh/docker/client.hpp"
#include "registrar/dns/command.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/host.hpp"
#include "registrar/dns/resolv_conf.hpp"
#include "registrar/dns/waiting.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr auto image = "bevmesh-dns-probe";
constexpr auto inside = "/bevmesh";
// Of getaddrinfo: its own would wait half a minute for servers that are not there.
constexpr auto patience = "RES_OPTIONS=timeout:2 attempts:1";
// A sanitizer's leak check needs ptrace, which a container has not.
constexpr auto no_leak_check = "ASAN_OPTIONS=detect_leaks=0";
constexpr milliseconds host_limit{60'000};

std::string this_program() {
    std::array<char, PATH_MAX> path{};
    auto const n = ::readlink("/proc/self/exe", path.data(), path.size());
    return n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : std::string();
}

network_kind kind_of(docker::network const& n) {
    if (n.driver == "host") return network_kind::host;
    if (n.driver != "bridge") return network_kind::other;
    if (n.internal) return network_kind::internal;
    return n.name == "bridge" ? network_kind::default_bridge : network_kind::user_defined;
}

/// The engine tells a gateway only where somebody asked for one; the bridge has it always.
std::string gateway_of(docker::network const& n, std::vector<std::string> const& addresses) {
    for (auto const& subnet : n.subnets) {
        auto const range = config::parse_range(subnet);
        if (!range) continue;
        for (auto const& address : addresses)
            if (auto const own = config::parse_range(address); own && range->contains(*own))
                return address;
    }
    return {};
}

std::string container_config(std::string const& network) {
    nlohmann::json binds = nlohmann::json::array();
    for (auto const* folder : {"/usr", "/lib", "/lib64", "/bin"})
        if (::access(folder, F_OK) == 0)
            binds.push_back(std::string(folder) + ":" + folder + ":ro");
    binds.push_back(this_program() + ":" + inside + ":ro");
    return nlohmann::json{{"Image", image},
                          {"Cmd", {"/usr/bin/sleep", "60"}},
                          {"Env", {patience, no_leak_check}},
                          {"StopSignal", "SIGKILL"},
                          {"HostConfig",
                           {{"NetworkMode", network},
                            {"Binds", binds},
                            {"AutoRemove", true},
                            {"CapDrop", {"ALL"}},
                            {"LogConfig", {{"Type", "none"}}}}}}
        .dump();
}

net::awaitable<result<view_report>> ask_inside(docker::client& client, std::string id,
                                               std::vector<std::string> argv) {
    auto const started = co_await client.start(id);
    if (started.has_error()) co_return started.error();
    auto const ran = co_await client.exec(id, argv);
    if (ran.has_error()) co_return ran.error();
    if (ran->exit_code != 0) {
        co_return failure{errc::local_error, "the probe in a container ended with " +
                                                 std::to_string(ran->exit_code) + ": " +
                                                 ran->err.substr(0, ran->err.find('\n'))};
    }
    co_return read_view(ran->out);
}

/// `seen` outlives it, and says where.
net::awaitable<void> look_from(docker::client& client, view& seen, std::vector<std::string> argv) {
    auto const name = std::string(image) + "-" + std::to_string(::getpid()) + "-" + seen.where;
    auto const config = container_config(seen.where);
    auto const id = co_await client.create(name, config);
    if (id.has_error()) {
        seen.problem = describe(id.error());
        co_return;
    }
    auto report = co_await ask_inside(client, *id, std::move(argv));
    if (report.has_value())
        seen.report = std::move(*report);
    else
        seen.problem = describe(report.error());
    // One that is being removed already is as good.
    auto const removed = co_await client.remove(*id);
    static_cast<void>(removed);
}

}  // namespace

struct engine::state {
    boost::asio::io_context loop;
    std::unique_ptr<docker::client> client;
    std::string problem;

    template <class T>
    result<T> call(net::awaitable<result<T>> op) {
        return wait_for(loop, std::move(op));
    }
    void look_from_all(std::vector<view>& views, std::vector<std::string> const& argv);
};

engine::engine(docker_config const& settings) : state_(std::make_unique<state>()) {
    auto made = docker::make_client(state_->loop.get_executor(), settings);
    if (made)
        state_->client = std::move(*made);
    else
        state_->problem = describe(made.error());
}

engine::~engine() = default;

engine_facts engine::facts(std::optional<journal> const& ours) {
    engine_facts facts;
    read_daemon_json(ours, facts);
    facts.problem = state_->problem;
    if (!state_->client) return facts;
    auto const info = state_->call(state_->client->info());
    auto const networks = info ? state_->call(state_->client->networks())
                               : result<std::vector<docker::network>>(info.error());
    if (!networks) {
        facts.problem = describe(networks.error());
        return facts;
    }
    facts.version = info->server_version;
    facts.restart = restart_of(0, "docker");
    auto const addresses = local_addresses();
    for (auto const& n : *networks)
        facts.networks.push_back({n.name, kind_of(n), n.subnets, gateway_of(n, addresses)});
    std::ranges::sort(facts.networks, {},
                      [](network const& n) { return std::pair(n.kind, n.name); });
    return facts;
}

void engine::state::look_from_all(std::vector<view>& views, std::vector<std::string> const& argv) {
    std::size_t left = views.size();
    std::exception_ptr thrown;
    for (auto& v : views)
        boost::asio::co_spawn(loop, look_from(*client, v, argv), [&](std::exception_ptr error) {
            if (error) thrown = error;
            --left;
        });
    loop.restart();
    while (left > 0)
        loop.run_one();
    if (thrown) std::rethrow_exception(thrown);
}

std::vector<view> engine::look(engine_facts const& known, question_list const& questions) {
    std::vector<view> views;
    if (known.version.empty()) return views;
    for (auto const& n : known.networks)
        if (n.kind != network_kind::other) views.push_back({n.name, n.kind, false, {}, {}});
    // Two empty blocks: the end of a tar, and all of this one.
    auto const made = state_->call(state_->client->import_image(std::string(1024, '\0'), image));
    if (!made) {
        for (auto& v : views)
            v.problem = describe(made.error());
        return views;
    }
    state_->look_from_all(views, probe_arguments(inside, questions));
    static_cast<void>(state_->call(state_->client->remove_image(image)));
    return views;
}

std::vector<stale_container> engine::stale(std::vector<view> const& views) {
    std::vector<stale_container> all;
    if (!state_->client) return all;
    auto const containers = state_->call(state_->client->list());
    if (!containers) return all;
    for (auto const& listed : *containers) {
        auto const c = state_->call(state_->client->inspect(listed.id));
        if (!c || c->resolv_conf_path.empty()) continue;
        auto const at = std::ranges::find(views, c->network_mode, &view::where);
        if (at == views.end() || !at->report) continue;
        auto const text = read_text(c->resolv_conf_path);
        if (!text || !text->has_value()) continue;
        auto const has = parse_resolv_conf(**text).nameservers;
        auto const is_fresh = [&](std::string const& server) {
            return std::ranges::any_of(at->report->servers,
                                       [&](auto const& s) { return s.server == server; });
        };
        if (!std::ranges::all_of(has, is_fresh)) all.push_back({c->name, has});
    }
    return all;
}

result<void> engine::wait_ready(milliseconds limit) {
    constexpr milliseconds step{100};
    for (auto left = limit; left.count() > 0; left -= step) {
        if (state_->client && state_->call(state_->client->ping())) return {};
        pause_for(step);
    }
    return failure{errc::timed_out, "Docker's engine does not answer"};
}

std::vector<std::string> probe_arguments(std::string const& program,
                                         question_list const& questions) {
    std::vector<std::string> argv{program,
                                  "dns",
                                  "probe",
                                  "--missing",
                                  questions.missing,
                                  "--timeout",
                                  std::to_string(questions.timeout.count()) + "ms"};
    argv.insert(argv.end(), questions.names.begin(), questions.names.end());
    return argv;
}

view look_from_host(question_list const& questions) {
    view seen;
    seen.where = "host";
    seen.is_host = true;
    auto const ran =
        run_command(probe_arguments(this_program(), questions), host_limit, {patience});
    auto report = ran ? ran->status == 0 ? read_view(ran->out)
                                         : result<view_report>(failure{errc::local_error, ran->err})
                      : result<view_report>(ran.error());
    if (report)
        seen.report = std::move(*report);
    else
        seen.problem = describe(report.error());
    return seen;
}

}  // namespace bevmesh::registrar::dns
