// The document's sections, but for services and the registrar.
#include "config/schema.hpp"

#include "config/object.hpp"

namespace bevmesh::config {
namespace {

using mesh = mesh_config;

type_of<mesh_config> mesh_section() {
    return object<mesh>(
        "the mesh, such as {name: bev, datacenter: bev}",
        {
            required("name", &mesh::name, text(formats::label), "What the mesh is called."),
            key("domain", &mesh::domain, text(formats::domain),
                "The domain that Consul answers for in DNS; services are NAME.service.DOMAIN."),
            key("datacenter", &mesh::datacenter, text(formats::datacenter),
                "Consul's datacenter. Without it: the one of the node's agent."),
        });
}

type_of<consul_config> consul_section() {
    using c = consul_config;
    return object<c>(
        "Consul's agent, such as {address: 127.0.0.1:8500}",
        {
            key("address", &c::address, text(formats::consul_address),
                "The HTTP API of the node's own agent."),
            key("dns_address", &c::dns_address, text(formats::dns_endpoint),
                "The agent's DNS, as `bevmesh resolve` asks it."),
            key("token_file", &c::token_file, text(formats::absolute_path),
                "A file with the ACL token. Without it: no token."),
            key("ca_file", &c::ca_file, text(formats::absolute_path),
                "CA certificates (PEM) that the agent's certificate is checked against."),
            key("cert_file", &c::cert_file, text(formats::absolute_path),
                "Our certificate (PEM), where the agent asks for one."),
            key("key_file", &c::key_file, text(formats::absolute_path),
                "The private key of cert_file."),
            key("server_name", &c::server_name, text(formats::host),
                "The name in the agent's certificate, where it is not the address."),
            key("certificates", &c::certificates, one_of({"files", "vault"}),
                "files: those above. vault: we show the daemon's own certificate of Vault, and "
                "take "
                "the agent's of Vault's CAs; the files above then serve until there is one, and "
                "with an agent that has its certificate of their CA."),
            key("tls", &c::tls, service_tls_entry(),
                "The certificate that the agent itself shows, kept on every node as a service's."),
        });
}

type_of<docker_config> docker_section() {
    using d = docker_config;
    return object<d>("Docker's engine, such as {address: unix:///run/docker.sock}",
                     {key("address", &d::address, text(formats::docker_address),
                          "The API of the node's own engine.")});
}

type_of<api_config> api_section() {
    using a = api_config;
    return object<a>(
        "the local API, such as {socket: /run/bevmesh/api.sock}",
        {
            key("socket", &a::socket, text(formats::socket_path),
                "The unix socket that the command line talks to."),
            key("group", &a::group, text(formats::user_name), "The group that may use the socket."),
        });
}

type_of<log_config> log_section() {
    using l = log_config;
    return object<l>("the log, such as {level: info}",
                     {
                         key("level", &l::level, one_of({"debug", "info", "warning", "error"}),
                             "The least severity that is written."),
                         key("format", &l::format, one_of({"text", "json"}),
                             "Lines for people, or one JSON object a line."),
                     });
}

type_of<node_config> node_entry() {
    using n = node_config;
    return object<n>("a node, such as {address: 10.0.0.1, arch: amd64}",
                     {
                         required("address", &n::address, text(formats::ip_address),
                                  "The node's address in the mesh: what other nodes connect to."),
                         key("arch", &n::arch, one_of({"amd64", "arm64"}), "The processor."),
                         key("role", &n::role, text(formats::label), "What the node is for."),
                         key("gpu", &n::gpu, boolean(), "Whether the node has a GPU."),
                     });
}

type_of<network_config> network_entry() {
    using n = network_config;
    return object<n>(
        "a Docker network, such as {subnet: 172.30.0.0/16, nodes: [thanos]}",
        {
            required("subnet", &n::subnet, text(formats::subnet), "The addresses of the network."),
            required("nodes", &n::nodes,
                     list(text(formats::label), "a list of nodes, such as [thanos]", 1),
                     "The nodes that have the network."),
        });
}

type_of<mesh_config> make_document() {
    return object<mesh>(
        "a configuration with mesh, nodes and services",
        {
            group("mesh", mesh_section(), "The mesh as a whole.").mandatory(),
            key("state_dir", &mesh::state_dir, text(formats::absolute_path),
                "Where the daemon keeps what must survive a restart."),
            key("consul", &mesh::consul, consul_section(), "How to reach Consul."),
            key("vault", &mesh::vault, unless_absent(vault_section()),
                "How to reach Vault or OpenBao. Without it: no certificates, no secrets."),
            key("docker", &mesh::docker, docker_section(), "How to reach Docker."),
            key("registrar", &mesh::registrar, registrar_section(),
                "How containers become services."),
            key("api", &mesh::api, api_section(), "The daemon's local API."),
            key("tls", &mesh::tls, tls_section(),
                "How the daemons know each other. Without it they do not talk to each other."),
            key("peers", &mesh::peers, peers_section(),
                "Where the daemons talk to each other, by TLS with certificates on both sides."),
            key("metrics", &mesh::metrics, metrics_section(),
                "Prometheus' metrics, and whether the daemon lives and is ready."),
            key("log", &mesh::log, log_section(), "The daemon's log."),
            required("nodes", &mesh::nodes,
                     map(formats::label, node_entry(),
                         "a mapping of nodes, such as {thanos: {address: 10.0.0.1}}"),
                     "The nodes of the mesh by name; the name is Consul's and the host's."),
            key("networks", &mesh::networks,
                map(formats::network_name, network_entry(),
                    "a mapping of networks, such as {bev: {subnet: 172.30.0.0/16, nodes: [a]}}"),
                "Docker's networks by name. No two of them overlap."),
            key("services", &mesh::services, services_section(),
                "The services of the mesh by name: NAME.service.consul."),
            key("failover", &mesh::failover, failover_section(),
                "The databases that move between nodes, by group: GROUP-primary.service.consul."),
        });
}

}  // namespace

type<mesh_config> const& document() {
    static auto const made = make_document();
    return *made;
}

json json_schema() {
    json made{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "The configuration of a bevmesh"}};
    made.update(document().schema());
    return made;
}

}  // namespace bevmesh::config
