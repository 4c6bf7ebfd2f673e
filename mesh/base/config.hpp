// The mesh's configuration as plain values: what every part reads and nobody parses.
//
// Built and checked by config/ (loader, validator), the same on every node; a value that got here
// is valid, every default filled in. Durations are milliseconds. The keys of the document are
// documented in config/schema; the comments here say what a reader of the code needs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/failover_config.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh {

enum class check_kind {
    tcp,
    http,
    https,
    udp,
    grpc,
    h2ping,
    script,    // runs on the node, by Consul (enable_script_checks)
    docker,    // runs in the container, by Consul (needs the agent to reach the engine)
    ttl,       // the application reports
    alias,     // follows another service
    redis,     // the daemon probes and reports
    postgres,  // the daemon probes and reports
};

struct check_config {
    check_kind kind = check_kind::tcp;
    std::string name;  // shown in Consul; empty: made from kind and port
    std::string port;  // key in instance_config::ports; empty: the main port
    std::string path;  // http(s)
    std::string method = "GET";
    std::map<std::string, std::vector<std::string>> headers;
    std::string body;
    bool tls = false;  // tcp, grpc, h2ping: speak TLS
    bool tls_skip_verify = false;
    std::string tls_server_name;
    std::vector<std::string> command;  // script, docker: argv, never through a shell
    std::string grpc_service;          // the name in grpc.health.v1; empty: the whole server
    std::string alias_service;         // service ID on this node, or a name when alias_node is set
    std::string alias_node;
    std::string user;           // redis, postgres
    std::string database;       // postgres
    std::string password_file;  // redis, postgres
    std::optional<milliseconds> interval;
    std::optional<milliseconds> timeout;
    /// So long after its start a service that does not answer yet is looked at often.
    std::optional<milliseconds> start_period;
    std::optional<milliseconds> ttl;
    std::optional<milliseconds> deregister_after;
    unsigned success_before_passing = 0;    // 0: Consul's default
    unsigned failures_before_warning = 0;   // 0: same as critical
    unsigned failures_before_critical = 0;  // 0: Consul's default
    std::string initial_status;             // passing, warning, critical; empty: by our own probe

    friend bool operator==(check_config const&, check_config const&) = default;
};

/// Which container an instance is. Every field that is not empty must match; all empty: none does.
struct match_config {
    std::string container;  // exact container name
    std::string compose;    // com.docker.compose.service, or PROJECT/SERVICE
    std::string label;      // "key" or "key=value"
    std::string image;      // repository with or without tag; without: any tag

    friend bool operator==(match_config const&, match_config const&) = default;
};

enum class address_mode {
    host,       // what other nodes connect to: the node's address and the published port
    container,  // the container's own address and port on `network`
};

struct instance_config {
    match_config match;
    bool host = false;       // no container: a process of the node, always registered
    std::uint16_t port = 0;  // the port that others connect to (published, or container's)
    std::map<std::string, std::uint16_t> ports;  // further ports: service NAME-KEY each
    std::string protocol = "tcp";                // or udp; of the main port
    std::vector<std::string> nodes;              // never empty once loaded
    std::string address;                         // explicit; empty: found

    friend bool operator==(instance_config const&, instance_config const&) = default;
};

/// The certificate that the mesh's PKI gives a service, and how the service is told of a new one.
struct service_tls_config {
    std::string recipe;   // of certs/recipes; empty: it has none
    std::string folder;   // of its files, on the node; certs/store
    std::string seen_as;  // the same folder as the service sees it; empty: by the same path
    std::string layout = "linked";     // or flat, inplace
    std::optional<unsigned> owner;     // numeric; absent: the daemon's
    std::optional<unsigned> group;     // of the files
    std::string key_format = "pkcs8";  // or traditional
    std::string pkcs12_password_file;  // empty: no keystore.p12
    std::string user;                  // redis, postgres: whom the daemon is there
    std::string password_file;         // of that user
    std::string signal = "SIGHUP";     // signal, docker_signal
    std::string pid_file;              // signal: of a process of the node
    std::vector<std::string> command;  // exec: on the node; docker_exec: in the container
    std::string path = "/-/reload";    // http: POST, by TLS
    std::string broker;                // kafka: its number
    std::string listener;              // kafka: whose certificate it is
    std::string client_config;         // kafka: a file for kafka-configs.sh, as the service sees it
    std::optional<bool> crl;           // whether it reads crl.pem; absent: as its recipe has it
    unsigned renew_at = 55;            // in hundredths of its life; up to 15 later
    std::vector<std::string> windows;  // cron lines, UTC: when it may be renewed
    milliseconds window_length{3'600'000};

    friend bool operator==(service_tls_config const&, service_tls_config const&) = default;
};

struct service_config {
    std::string name;
    std::vector<instance_config> instances;
    std::vector<std::string> tags;
    std::map<std::string, std::string> meta;
    std::optional<std::vector<check_config>> checks;  // absent: the default; empty list: none
    address_mode mode = address_mode::host;
    std::string network;        // of several, the one whose address is meant
    bool mirror_health = true;  // Docker's HEALTHCHECK becomes a check of the service
    bool enable_tag_override = false;
    service_tls_config tls;

    friend bool operator==(service_config const&, service_config const&) = default;
};

struct node_config {
    std::string address;  // on the mesh; what others connect to
    std::string arch = "amd64";
    std::string role;
    bool gpu = false;

    friend bool operator==(node_config const&, node_config const&) = default;
};

struct network_config {
    std::string subnet;  // CIDR
    std::vector<std::string> nodes;

    friend bool operator==(network_config const&, network_config const&) = default;
};

struct consul_config {
    std::string address = "127.0.0.1:8500";  // host:port, http(s)://host:port or unix:///path
    std::string dns_address = "127.0.0.1:8600";
    std::string token_file;
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    std::string server_name;
    /// Whose ask and are asked for over TLS: "files", the above, or "vault", the daemon's own; the
    /// above then serve beside it (mesh/consul/identity.hpp).
    std::string certificates = "files";
    /// The agent's own, kept as a service's on every node.
    service_tls_config tls;

    friend bool operator==(consul_config const&, consul_config const&) = default;
};

/// How a node logs in: each file is the node's own, at the same path on every node, mode 0600.
struct approle_config {
    std::string mount = "approle";
    std::string role = "bevmesh-NODE";  // NODE: the node's name
    std::string role_id_file = "/etc/bevmesh/vault.role-id";
    std::string secret_id_file = "/etc/bevmesh/vault.secret-id";
    std::string wrapped_secret_id_file;  // or this: a wrapping token, of use once
    milliseconds token_period{86'400'000};
    milliseconds secret_id_ttl{2'592'000'000};
    bool bind_address = true;  // of use from the node's address alone

    friend bool operator==(approle_config const&, approle_config const&) = default;
};

struct vault_pki_config {
    std::string mount = "pki";  // of the intermediate, which signs
    std::string root_mount = "pki_root";
    std::string role = "service-NODE";  // without NODE: one for all nodes
    milliseconds ttl{86'400'000};
    std::vector<std::string> names;  // that any node's certificates may have besides its own

    friend bool operator==(vault_pki_config const&, vault_pki_config const&) = default;
};

struct vault_kv_config {
    std::string mount = "secret";
    std::map<std::string, std::vector<std::string>> paths;  // path → nodes that read it

    friend bool operator==(vault_kv_config const&, vault_kv_config const&) = default;
};

struct vault_config {
    std::vector<std::string> addresses;  // https://host:port; empty: no Vault
    std::string ca_file;                 // empty: the system's
    std::string server_name;             // of the servers' certificates; empty: each one's host
    std::string space;                   // namespace; empty: the root one
    approle_config approle;
    vault_pki_config pki;
    vault_kv_config kv;

    friend bool operator==(vault_config const&, vault_config const&) = default;
};

struct docker_config {
    std::string address = "unix:///run/docker.sock";

    friend bool operator==(docker_config const&, docker_config const&) = default;
};

/// What registrator's command line said, for a node that comes from it.
struct compat_config {
    bool enabled = true;
    bool internal = false;          // -internal: the container's address and exposed port
    bool explicit_only = false;     // -explicit: only containers with SERVICE_NAME
    std::string ip;                 // -ip
    std::string use_ip_from_label;  // -useIpFromLabel
    std::string tags;               // -tags, plain text or {{.Config.Hostname}}-like paths
    std::string hostname;           // first part of service IDs; empty: the engine's host name

    friend bool operator==(compat_config const&, compat_config const&) = default;
};

struct registrar_config {
    milliseconds resync{30'000};  // full list of Docker and Consul
    milliseconds debounce{50};    // repeats of one container's events within it are one
    milliseconds announce_wait{
        2'000};  // a port that does not answer yet is announced critical after it
    std::vector<std::string> networks;  // preference among a container's networks
    bool compose = true;                // announce Compose services that publish a port
    compat_config compat;

    friend bool operator==(registrar_config const&, registrar_config const&) = default;
};

struct api_config {
    std::string socket = "/run/bevmesh/api.sock";
    std::string group = "bevmesh";

    friend bool operator==(api_config const&, api_config const&) = default;
};

/// Files of this node; at the same paths on every node.
struct tls_config {
    std::string certificate;  // empty: no TLS, and nothing of what needs other nodes' daemons
    std::string key;
    std::string ca;

    friend bool operator==(tls_config const&, tls_config const&) = default;
};

struct peers_config {
    std::uint16_t port = 8702;  // on each node's mesh address

    friend bool operator==(peers_config const&, peers_config const&) = default;
};

struct metrics_config {
    std::string address = "127.0.0.1:9701";  // of the loopback; or "off"

    friend bool operator==(metrics_config const&, metrics_config const&) = default;
};

struct log_config {
    std::string level = "info";
    std::string format = "text";  // or json

    friend bool operator==(log_config const&, log_config const&) = default;
};

struct mesh_config {
    std::string name;
    std::string domain = "consul";
    std::string datacenter;
    std::string state_dir = "/var/lib/bevmesh";
    consul_config consul;
    vault_config vault;
    docker_config docker;
    registrar_config registrar;
    api_config api;
    tls_config tls;
    peers_config peers;
    metrics_config metrics;
    log_config log;
    std::map<std::string, node_config> nodes;
    std::map<std::string, network_config> networks;
    std::vector<service_config> services;
    std::vector<failover_group_config> failover;  // by name

    friend bool operator==(mesh_config const&, mesh_config const&) = default;
};

}  // namespace bevmesh
