// The sections `tls`, `peers` and `metrics`.
#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {

type_of<tls_config> tls_section() {
    using t = tls_config;
    return object<t>(
        "certificates, such as {certificate: /etc/bevmesh/tls/node.pem, key: ..., ca: ...}",
        {
            required("certificate", &t::certificate, text(formats::absolute_path),
                     "The node's certificate (PEM) with intermediates, for the URI "
                     "spiffe://MESH/node/NODE/service/bevmesh. With `vault` it serves until the "
                     "node has one of Vault, and towards nodes that have none yet."),
            required("key", &t::key, text(formats::absolute_path),
                     "Its private key (PEM), readable by the daemon alone."),
            required("ca", &t::ca, text(formats::absolute_path),
                     "The mesh's CA (PEM): whose certificates other nodes must show."),
        });
}

type_of<peers_config> peers_section() {
    using p = peers_config;
    return object<p>("how daemons reach each other, such as {port: 8702}",
                     {key("port", &p::port, port(),
                          "The TCP port on each node's mesh address; opened only with `vault` or "
                          "`tls`.")});
}

type_of<metrics_config> metrics_section() {
    using m = metrics_config;
    return object<m>("metrics, such as {address: 127.0.0.1:9701}",
                     {key("address", &m::address, text(formats::loopback_endpoint),
                          "Where /metrics, /livez and /readyz answer, on the loopback; or off.")});
}

}  // namespace bevmesh::config
