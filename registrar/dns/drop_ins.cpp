#include "registrar/dns/drop_ins.hpp"

#include <nlohmann/json.hpp>

#include "registrar/dns/plan.hpp"

namespace bevmesh::registrar::dns {
namespace {

std::string opening(std::string const& comment) {
    return comment + " " + std::string(marker) + " takes it away.\n";
}

std::string each(std::string const& before, std::vector<std::string> const& values,
                 std::string const& after = "\n") {
    std::string text;
    for (auto const& value : values)
        text += before + value + after;
    return text;
}

}  // namespace

agent_address split_address(std::string const& dns_address) {
    auto const colon = dns_address.rfind(':');
    auto host = dns_address.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return {std::move(host), dns_address.substr(colon + 1)};
}

std::string resolved_drop_in(consul_facts const& consul, std::vector<std::string> const& extra) {
    return opening("#") + "[Resolve]\nDNS=" + consul.dns_address + "\nDomains=~" + consul.domain +
           "\n" + each("DNSStubListenerExtra=", extra);
}

std::string resolved_trust_anchor(consul_facts const& consul) {
    return opening(";") + consul.domain + "\n";
}

std::string dnsmasq_drop_in(consul_facts const& consul) {
    auto const agent = split_address(consul.dns_address);
    return opening("#") + "server=/" + consul.domain + "/" + agent.host + "#" + agent.port +
           "\n# Addresses of the mesh are private ones.\nrebind-domain-ok=/" + consul.domain +
           "/\n";
}

std::string unbound_drop_in(consul_facts const& consul) {
    auto const agent = split_address(consul.dns_address);
    return opening("#") + "server:\n    do-not-query-localhost: no\n    domain-insecure: \"" +
           consul.domain + "\"\n    private-domain: \"" + consul.domain +
           "\"\nstub-zone:\n    name: \"" + consul.domain + "\"\n    stub-addr: " + agent.host +
           "@" + agent.port +
           "\n    # Consul's answers are of the moment.\n    stub-no-cache: yes\n";
}

std::string dnsmasq_forwarder(consul_facts const& consul, forwarder_wish const& wish) {
    auto const agent = split_address(consul.dns_address);
    std::string text = opening("#");
    text += "# Only these addresses, also when a bridge comes later.\nbind-dynamic\n";
    text += each("listen-address=", wish.listen);
    text += "# Nothing of its own: no files, no cache, the servers in the order of resolv.conf.\n";
    text += "no-resolv\nno-hosts\nno-poll\ncache-size=0\nstrict-order\n";
    text += "dns-forward-max=1000\nedns-packet-max=1232\n";
    text += "server=/" + consul.domain + "/" + agent.host + "#" + agent.port + "\n";
    text += each("server=", wish.upstreams);
    text += wish.pid_file.empty() ? "pid-file=\n" : "user=nobody\npid-file=" + wish.pid_file + "\n";
    return text;
}

std::string unbound_forwarder(consul_facts const& consul, forwarder_wish const& wish) {
    auto const agent = split_address(consul.dns_address);
    std::string text = opening("#") + "server:\n";
    text += each("    interface: ", wish.listen);
    text += "    ip-freebind: yes\n    access-control: 127.0.0.0/8 allow\n";
    text += each("    access-control: ", wish.clients, " allow\n");
    text += "    do-not-query-localhost: no\n    module-config: \"iterator\"\n";
    text += "    local-zone: \"" + consul.domain + ".\" transparent\n";
    text += "    infra-keep-probing: yes\n    chroot: \"\"\n    directory: \"/\"\n";
    text += "    use-syslog: yes\n    username: \"" +
            std::string(wish.pid_file.empty() ? "" : "nobody") + "\"\n";
    text += "    do-daemonize: " + std::string(wish.pid_file.empty() ? "no" : "yes") +
            "\n    pidfile: \"" + wish.pid_file + "\"\n";
    text += "remote-control:\n    control-enable: no\n";
    text += "forward-zone:\n    name: \"" + consul.domain + "\"\n    forward-addr: " + agent.host +
            "@" + agent.port + "\n    forward-no-cache: yes\n";
    if (!wish.upstreams.empty())
        text += "forward-zone:\n    name: \".\"\n" + each("    forward-addr: ", wish.upstreams);
    return text;
}

std::string forwarder_unit(std::string const& program, std::string const& config) {
    bool const is_dnsmasq = program.ends_with("dnsmasq");
    auto const start =
        program + (is_dnsmasq ? " --keep-in-foreground --conf-file=" : " -d -c ") + config;
    return opening("#") +
           "[Unit]\n"
           "Description=bevmesh: DNS for containers, forwarded to Consul and the host's servers\n"
           "After=network.target\n"
           "Before=docker.service nss-lookup.target\n"
           "StartLimitIntervalSec=0\n\n"
           "[Service]\nExecStart=" +
           start +
           "\nRestart=always\nRestartSec=1s\n"
           "DynamicUser=yes\n"
           "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
           "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
           "ProtectSystem=strict\nProtectHome=yes\nPrivateDevices=yes\nNoNewPrivileges=yes\n"
           "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n\n"
           "[Install]\nWantedBy=multi-user.target\n";
}

std::string resolv_conf_text(resolv_conf const& former, std::vector<std::string> const& servers) {
    return opening("#") + each("", former.others) + each("nameserver ", servers);
}

std::string daemon_json(std::vector<std::string> const& servers) {
    return nlohmann::json{{"dns", servers}}.dump(2) + "\n";
}

}  // namespace bevmesh::registrar::dns
