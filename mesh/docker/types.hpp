// What bevmesh reads of the Docker Engine API, versions 1.41 to 1.52.
//
// Only fields that API 1.52 still has: addresses come from NetworkSettings.Networks, never from the
// top-level fields that 1.52 removed (moby api/docs/CHANGELOG.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bevmesh::docker {

enum class health { none, starting, healthy, unhealthy };

enum class run_state { created, running, paused, restarting, removing, exited, dead };

struct port_key {
    std::uint16_t port = 0;
    std::string protocol = "tcp";  // tcp, udp, sctp

    friend auto operator<=>(port_key const&, port_key const&) = default;
};

struct port_binding {
    std::string host_ip;  // "", "0.0.0.0", "::" or a specific address
    std::uint16_t host_port = 0;

    friend bool operator==(port_binding const&, port_binding const&) = default;
};

struct network_endpoint {
    std::string network_id;
    std::string ip;   // "" while not connected
    std::string ip6;  // global IPv6

    friend bool operator==(network_endpoint const&, network_endpoint const&) = default;
};

struct container {
    std::string id;    // full, 64 hex digits
    std::string name;  // without the leading slash
    std::string image;
    std::string hostname;
    std::string user;            // that its init runs as; empty: the image's
    std::string restart_policy;  // "no", "always", "unless-stopped", "on-failure"; or empty
    std::string network_mode;    // "bridge", "host", "none", "container:ID", a network's name
    run_state state = run_state::created;
    std::int32_t pid = 0;           // of its init as the engine's host sees it; 0: none runs
    std::vector<std::string> argv;  // what its init was started with
    int exit_code = 0;
    docker::health health = docker::health::none;
    std::string started_at;  // RFC 3339, as the engine wrote it
    std::vector<std::string> env;
    std::map<std::string, std::string> labels;
    std::vector<port_key> exposed;                        // Config.ExposedPorts, sorted
    std::map<port_key, std::vector<port_binding>> ports;  // NetworkSettings.Ports; null: empty list
    /// HostConfig.PortBindings: what is to be published, also before the binding is there.
    std::map<port_key, std::vector<port_binding>> wanted_ports;
    std::map<std::string, network_endpoint> networks;
    std::string resolv_conf_path;    // on the engine's host: what the container has as resolv.conf
    std::vector<std::string> bound;  // paths of the engine's host that are bound into it

    friend bool operator==(container const&, container const&) = default;
};

struct listed_container {
    std::string id;
    /// Equal when nothing that an inspect would tell has changed: the list's entry without the
    /// ages in its Status text ("Up 5 minutes (healthy)" counts as "(healthy)").
    std::string fingerprint;
};

struct event {
    std::string type;    // "container", "network"
    std::string action;  // "start", "die", "health_status: healthy", "connect", ...
    std::string actor_id;
    std::map<std::string, std::string> attributes;
    std::int64_t time_nano = 0;

    friend bool operator==(event const&, event const&) = default;
};

struct engine_info {
    std::string id;    // stable identity of the engine
    std::string name;  // the engine's host name: first part of registrator's service IDs
    std::string server_version;
};

struct network {
    std::string id;
    std::string name;
    std::string driver;
    bool internal = false;
    std::vector<std::string> subnets;
};

}  // namespace bevmesh::docker
