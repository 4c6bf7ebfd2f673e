// What is known about how names are resolved on this host and in its containers: values only.
//
// Read by host.cpp and engine.cpp; everything that decides (recognise, plan, findings) works on
// these. Addresses are as inet_ntop writes them, without port unless said otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bevmesh::registrar::dns {

enum class program { none, resolved, dnsmasq, unbound, other };

/// Somebody who has UDP port 53.
struct listener {
    std::string address;  // "0.0.0.0" and "::" are all of them
    int pid = 0;
    std::string command;  // as the kernel names it, at most 15 characters
    program kind = program::other;

    friend bool operator==(listener const&, listener const&) = default;
};

/// /etc/resolv.conf as it is without us: what `apply` replaced counts, not what it wrote.
struct resolv_conf {
    bool present = false;
    std::vector<std::string> nameservers;
    std::vector<std::string> others;  // every other line, comments too
    std::string generator;            // who writes it, when it says so: "NetworkManager"

    friend bool operator==(resolv_conf const&, resolv_conf const&) = default;
};

enum class network_kind { default_bridge, user_defined, internal, host, other };

struct network {
    std::string name;
    network_kind kind = network_kind::other;
    std::vector<std::string> subnets;
    std::string gateway;  // this host's address on it; empty: none

    friend bool operator==(network const&, network const&) = default;
};

struct engine_facts {
    std::string version;  // empty: no engine answers, `problem` says why
    std::string problem;
    std::vector<network> networks;
    std::vector<std::string> restart;     // argv that restarts it; empty: not known
    std::vector<std::string> daemon_dns;  // `dns` of daemon.json
    bool daemon_file = false;             // there is a daemon.json that is not ours
};

struct resolved_facts {
    unsigned version = 0;             // systemd's; 0: not known
    std::vector<std::string> global;  // global servers beside ours
    bool fallback_only = false;       // no server but the compiled-in ones
};

struct host_facts {
    resolv_conf conf;
    std::vector<listener> listeners;  // without our forwarder
    bool systemd = false;             // it is the host's service manager
    resolved_facts resolved;
    std::string dnsmasq_folder;  // where the running dnsmasq reads drop-ins; empty: nowhere
    std::string unbound_folder;  // the same of unbound
    std::string dnsmasq_path;    // programs that could be our forwarder; empty: not installed
    std::string unbound_path;
    std::vector<std::string> restart;  // argv that restarts the host's resolver; empty: not known
    engine_facts engine;
};

/// Consul's agent, as it says itself.
struct consul_facts {
    std::string dns_address;  // IP:PORT, from the configuration
    std::string domain = "consul";
    std::string problem;  // the API did not tell: why; what follows is empty then
    std::string version;
    std::string max_stale;  // a Go duration
    bool allow_stale = false;
    bool enable_truncate = true;
    std::optional<std::string> service;  // one that is registered and passing, beside "consul"
};

}  // namespace bevmesh::registrar::dns
