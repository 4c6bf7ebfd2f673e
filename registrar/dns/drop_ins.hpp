// The texts that `bevmesh dns apply` writes, each in the language of who reads it. Pure.
#pragma once

#include <string>
#include <vector>

#include "registrar/dns/facts.hpp"

namespace bevmesh::registrar::dns {

/// Consul's DNS in the spelling of each: 127.0.0.1#8600, 127.0.0.1@8600, 127.0.0.1:8600.
struct agent_address {
    std::string host;
    std::string port;
};
[[nodiscard]] agent_address split_address(std::string const& dns_address);

/// resolved.conf(5). `extra`: addresses beside 127.0.0.53 to answer at.
[[nodiscard]] std::string resolved_drop_in(consul_facts const& consul,
                                           std::vector<std::string> const& extra);
/// dnssec-trust-anchors.d(5): the domain is not signed, so that resolved does not ask the root
/// whether it is; DNSSEC for every other name stays as it was.
[[nodiscard]] std::string resolved_trust_anchor(consul_facts const& consul);
[[nodiscard]] std::string dnsmasq_drop_in(consul_facts const& consul);
[[nodiscard]] std::string unbound_drop_in(consul_facts const& consul);

struct forwarder_wish {
    std::vector<std::string> listen;
    std::vector<std::string> upstreams;  // for every other name; empty: refused
    std::vector<std::string> clients;    // subnets that may ask (unbound; dnsmasq takes who comes)
    std::string pid_file;                // empty: it stays in the foreground, under systemd
};
[[nodiscard]] std::string dnsmasq_forwarder(consul_facts const& consul, forwarder_wish const& wish);
[[nodiscard]] std::string unbound_forwarder(consul_facts const& consul, forwarder_wish const& wish);
[[nodiscard]] std::string forwarder_unit(std::string const& program, std::string const& config);

/// The lines of the former file but for its servers, which `servers` replace.
[[nodiscard]] std::string resolv_conf_text(resolv_conf const& former,
                                           std::vector<std::string> const& servers);
[[nodiscard]] std::string daemon_json(std::vector<std::string> const& servers);

}  // namespace bevmesh::registrar::dns
