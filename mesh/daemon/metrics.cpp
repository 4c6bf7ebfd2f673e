#include "mesh/daemon/metrics.hpp"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "mesh/daemon/certs_metrics.hpp"
#include "mesh/daemon/failover.hpp"
#include "mesh/daemon/failover_metrics.hpp"
#include "mesh/daemon/families.hpp"
#include "mesh/daemon/process_facts.hpp"

namespace bevmesh::daemon {
namespace {

net::http_response plain(unsigned status, std::string text, std::string type) {
    net::http_response r;
    r.status = status;
    r.headers.emplace_back("Content-Type", std::move(type));
    r.body = std::move(text);
    return r;
}

void add_registrar(families& to, registrar::reconciler const& core) {
    std::map<std::string, std::uint64_t> phases{
        {"announced", 0}, {"announcing", 0}, {"refused", 0}, {"failing", 0}, {"removing", 0}};
    for (auto const& v : core.services().view())
        ++phases[v.phase];
    to.gauge("bevmesh_services", "Services of this node, by how far they are in Consul.");
    for (auto const& [phase, n] : phases)
        to.add(number(n), {{"phase", phase}});
    to.gauge("bevmesh_containers", "Containers that the registrar looks at.")
        .add(number(std::uint64_t(core.containers().size())));
    to.gauge("bevmesh_settled", "1 when both sides are known and nothing is left to do.")
        .add(number(core.idle()));
    auto const& done = core.services().counters();
    to.counter("bevmesh_consul_writes_total", "Writes to Consul's agent that were done, by kind.")
        .add(number(done.registrations), {{"kind", "register"}})
        .add(number(done.deregistrations), {{"kind", "deregister"}})
        .add(number(done.reports), {{"kind", "report"}})
        .add(number(done.maintenance_changes), {{"kind", "maintenance"}});
}

void add_driver(families& to, registrar::driver_counts const& counts) {
    to.counter("bevmesh_consul_write_errors_total", "Writes to Consul's agent that failed.");
    for (auto const* kind : {"register", "deregister", "report", "maintenance"}) {
        auto const at = counts.failed_writes.find(kind);
        to.add(number(at == counts.failed_writes.end() ? 0 : at->second), {{"kind", kind}});
    }
    to.gauge("bevmesh_checks",
             "Checks of this node's services in Consul's agent, when it was listed last.");
    for (auto const* status : {"passing", "warning", "critical"}) {
        auto const at = counts.checks.find(status);
        to.add(number(at == counts.checks.end() ? 0 : at->second), {{"status", status}});
    }
    to.counter("bevmesh_engine_events_total", "Events of Docker's containers that were acted on.")
        .add(number(counts.events));
    to.counter("bevmesh_engine_streams_total", "Times that Docker's events were subscribed to.")
        .add(number(counts.streams));
    to.histogram("bevmesh_engine_event_lag_seconds",
                 "From Docker's time of an event to its arrival here.")
        .add(counts.event_lag);
    to.counter("bevmesh_errors_total", "Calls that failed, by who was called.")
        .add(number(counts.engine_errors), {{"peer", "docker"}})
        .add(number(counts.agent_errors), {{"peer", "consul"}});

    using side = std::pair<char const*, registrar::comparison_counts const&>;
    std::array const sides{side{"docker", counts.engine}, side{"consul", counts.agent}};
    to.counter("bevmesh_comparisons_total", "Full lists of one side that were asked for.");
    for (auto const& [name, s] : sides)
        to.add(number(s.done), {{"side", name}, {"result", "done"}})
            .add(number(s.failed), {{"side", name}, {"result", "failed"}});
    to.gauge("bevmesh_comparison_duration_seconds", "How long the last full list took.");
    for (auto const& [name, s] : sides)
        to.add(in_seconds(s.last_took), {{"side", name}});
    to.gauge("bevmesh_comparison_last_success_timestamp_seconds",
             "When the last full list was read, Unix time; 0: never.");
    for (auto const& [name, s] : sides)
        to.add(static_cast<double>(s.last_done.time_since_epoch().count()), {{"side", name}});
}

void add_peers(families& to, peers const& nodes) {
    if (!nodes.enabled()) return;
    using view = std::pair<std::string const, peer_view>;
    auto const each = [&](auto const& value) {
        for (view const& v : nodes.views())
            if (v.second.asked) value(v.second, std::vector<metric_label>{{"node", v.first}});
    };
    to.gauge("bevmesh_peer_up", "Whether the other node's daemon answers.");
    each([&](peer_view const& v, auto labels) { to.add(number(v.reachable), labels); });
    to.gauge("bevmesh_peer_same_config", "Whether the other node has the same configuration.");
    each([&](peer_view const& v, auto labels) {
        if (v.reachable) to.add(number(v.config == nodes.fingerprint()), labels);
    });
    to.gauge("bevmesh_peer_round_trip_seconds", "How long the last answer took.");
    each([&](peer_view const& v, auto labels) {
        if (v.round_trip) to.add(in_seconds(*v.round_trip), labels);
    });
    to.gauge("bevmesh_peer_clock_offset_seconds", "The other node's clock less ours.");
    each([&](peer_view const& v, auto labels) {
        if (v.clock_offset) to.add(in_seconds(*v.clock_offset), labels);
    });
    to.counter("bevmesh_peer_errors_total", "Questions to the other node without an answer.");
    each([&](peer_view const& v, auto labels) { to.add(number(v.errors), labels); });
    to.counter("bevmesh_peer_connections_refused_total",
               "Connections to our listener that ended in the handshake.")
        .add(number(nodes.refused()));
    to.gauge("bevmesh_certificate_expiry_timestamp_seconds",
             "When the daemon's own certificate ends, Unix time.")
        .add(static_cast<double>(nodes.certificate_expires()));
}

void add_process(families& to) {
    auto const p = read_process_facts();
    to.counter("process_cpu_seconds_total", "User and system time.").add(p.cpu_seconds);
    to.gauge("process_resident_memory_bytes", "Resident memory.").add(p.resident_bytes);
    to.gauge("process_virtual_memory_bytes", "Virtual memory.").add(p.virtual_bytes);
    to.gauge("process_open_fds", "Open file descriptors.").add(p.open_fds);
    to.gauge("process_max_fds", "How many there may be.").add(p.max_fds);
    to.gauge("process_start_time_seconds", "Start of the process, Unix time.").add(p.start_seconds);
}

}  // namespace

std::string metrics::exposition() const {
    families all;
    all.gauge("bevmesh_build_info", "Always 1; the version is a label.")
        .add(1, {{"version", from_.version}});
    all.gauge("bevmesh_engine_up", "Whether Docker answers.")
        .add(number(from_.driver.engine().reachable));
    all.gauge("bevmesh_agent_up", "Whether Consul's agent answers.")
        .add(number(from_.driver.agent().reachable));
    add_registrar(all, from_.core);
    add_driver(all, from_.driver.counts());
    add_peers(all, from_.nodes);
    add_failover(all, from_.groups);
    add_certificates(all, from_.kept);
    add_process(all);
    return all.text();
}

std::string metrics::not_ready() {
    std::string why;
    auto const& engine = from_.driver.engine();
    auto const& agent = from_.driver.agent();
    if (!engine.reachable) why += "Docker does not answer: " + engine.detail + "\n";
    if (!agent.reachable) why += "Consul does not answer: " + agent.detail + "\n";
    settled_once_ = settled_once_ || from_.core.idle();
    if (!settled_once_) why += "the first pass over containers and services is not done\n";
    return why;
}

net::awaitable<net::http_response> metrics::handle(net::http_request request) {
    auto const path = request.target.substr(0, request.target.find('?'));
    std::string const text = "text/plain; charset=utf-8";
    if (request.method != "GET" && request.method != "HEAD")
        co_return plain(405, "only GET is answered here\n", text);
    if (path == "/metrics")
        co_return plain(200, exposition(), "text/plain; version=0.0.4; charset=utf-8");
    if (path == "/livez") co_return plain(200, "ok\n", text);
    if (path == "/readyz") {
        auto why = not_ready();
        if (why.empty()) co_return plain(200, "ok\n", text);
        co_return plain(503, std::move(why), text);
    }
    co_return plain(404, "there are /metrics, /livez and /readyz\n", text);
}

}  // namespace bevmesh::daemon
