// The rules for one check beside the service that it is of.
#include <algorithm>
#include <array>

#include "config/findings.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {
namespace {

// Registrar's default for http and https; Consul counts one for all others.
unsigned critical_after(check_config const& check) {
    bool const is_http = check.kind == check_kind::http || check.kind == check_kind::https;
    if (check.failures_before_critical > 0) return check.failures_before_critical;
    return is_http ? 3 : 1;
}

bool speaks_tcp(check_kind kind) {
    constexpr std::array on_tcp{check_kind::tcp,     check_kind::http,   check_kind::https,
                                check_kind::grpc,    check_kind::h2ping, check_kind::redis,
                                check_kind::postgres};
    return std::ranges::find(on_tcp, kind) != on_tcp.end();
}

void check_port(check_config const& check, service_config const& service, std::string const& path,
                findings& found) {
    for (auto const& instance : service.instances) {
        if (!check.port.empty() && !instance.ports.contains(check.port)) {
            std::string keys;
            for (auto const& [key, port] : instance.ports)
                keys += (keys.empty() ? "one of " : ", ") + join("", key);
            found.report(join(path, "port"),
                         in_quotes(check.port) + " is no port of the service" +
                             (service.instances.size() > 1 ? "'s every instance" : ""),
                         keys.empty() ? "no `port`, which means the main one" : keys);
            return;
        }
        // Further ports are TCP; `protocol` is that of the main one.
        auto const protocol = check.port.empty() ? instance.protocol : "tcp";
        bool const fits =
            protocol == "udp" ? !speaks_tcp(check.kind) : check.kind != check_kind::udp;
        if (fits) continue;
        found.report(path, "cannot test a port of protocol " + protocol,
                     protocol == "udp" ? "udp, script, docker, ttl or alias" : "any kind but udp");
        return;
    }
}

}  // namespace

void check_check(check_config const& check, service_config const& service, std::string const& path,
                 mesh_config const& config, findings& found) {
    auto const kind = join(path, key_of(check.kind));
    check_port(check, service, kind, found);
    if (check.failures_before_warning > critical_after(check))
        found.report(join(kind, "failures_before_warning"),
                     std::to_string(check.failures_before_warning) + " is more than the " +
                         std::to_string(critical_after(check)) + " that make it critical",
                     "failures_before_critical or less");
    if (check.tls_skip_verify && !check.tls_server_name.empty())
        found.report(join(kind, "tls_server_name"), "has no use beside tls_skip_verify",
                     "one of both");
    bool const has_tls_switch = check.kind == check_kind::tcp || check.kind == check_kind::grpc ||
                                check.kind == check_kind::h2ping;
    if (has_tls_switch && !check.tls && (check.tls_skip_verify || !check.tls_server_name.empty()))
        found.report(kind, "has settings for TLS and does not speak it", "`tls: true`");
    if (check.kind == check_kind::docker &&
        std::ranges::any_of(service.instances, &instance_config::host))
        found.report(kind, "runs in a container, and the service is none (host: true)",
                     "another kind");
    if (!check.alias_node.empty())
        check_node_name(check.alias_node, join(kind, "node"), config, found);
}

}  // namespace bevmesh::config
