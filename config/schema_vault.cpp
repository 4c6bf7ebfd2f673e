// The section `vault`.
#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {
namespace {

using std::chrono::hours;

type_of<approle_config> approle_section() {
    using a = approle_config;
    return object<a>(
        "an AppRole, such as {role_id_file: /etc/bevmesh/vault.role-id}",
        {
            key("mount", &a::mount, text(formats::vault_path), "Where AppRole is mounted."),
            key("role", &a::role, text(formats::vault_name),
                "The node's role; NODE in it stands for the node's name."),
            key("role_id_file", &a::role_id_file, text(formats::absolute_path),
                "The role's ID, mode 0600."),
            key("secret_id_file", &a::secret_id_file, text(formats::absolute_path),
                "The first secret ID, mode 0600. The node makes its own next ones."),
            key("wrapped_secret_id_file", &a::wrapped_secret_id_file, text(formats::absolute_path),
                "Instead of it: a wrapping token with a secret ID, mode 0600."),
            key("token_period", &a::token_period, duration(seconds(10), hours(24 * 30)),
                "How long a token is good without a renewal; it is renewed at half of it."),
            key("secret_id_ttl", &a::secret_id_ttl, duration(seconds(20), hours(24 * 366)),
                "How long a secret ID is good; the next one is made at half of it."),
            key("bind_address", &a::bind_address, boolean(),
                "Whether secret IDs and tokens are of use from the node's address alone."),
        });
}

type_of<vault_pki_config> pki_section() {
    using p = vault_pki_config;
    return object<p>(
        "a PKI, such as {mount: pki_bev, role: service-NODE}",
        {
            key("mount", &p::mount, text(formats::vault_path),
                "The mount of the intermediate, which signs."),
            key("root_mount", &p::root_mount, text(formats::vault_path),
                "The mount of the root, which signs intermediates."),
            key("role", &p::role, text(formats::vault_name),
                "The role that says what may be signed. NODE in it stands for the node's name: a "
                "role a node, for names of its own only."),
            key("ttl", &p::ttl, duration(seconds(10), hours(24 * 366)),
                "The longest life of a certificate."),
            key("names", &p::names,
                list(text(formats::certificate_name),
                     "a list of names, such as [grafana.example.org]"),
                "Names that certificates of every node may have, besides those of its services."),
        });
}

type_of<vault_kv_config> kv_section() {
    using k = vault_kv_config;
    return object<k>("a KV 2 engine, such as {mount: bev, paths: {database: [thanos]}}",
                     {
                         key("mount", &k::mount, text(formats::vault_path), "Where it is mounted."),
                         key("paths", &k::paths,
                             map(formats::vault_path,
                                 list(text(formats::label), "a list of nodes, such as [thanos]", 1),
                                 "a mapping of paths, such as {database: [thanos]}"),
                             "Secrets by path, and the nodes that may read each."),
                     });
}

}  // namespace

type_of<vault_config> vault_section() {
    using v = vault_config;
    return object<v>(
        "Vault's servers, such as {addresses: ['https://10.0.0.1:8200']}",
        {
            required("addresses", &v::addresses,
                     list(text(formats::https_address),
                          "a list of addresses, such as ['https://10.0.0.1:8200']", 1),
                     "Each server of Vault or OpenBao; all are tried."),
            key("ca_file", &v::ca_file, text(formats::absolute_path),
                "CA certificates (PEM) that the servers' are checked against. Without it: the "
                "system's."),
            key("server_name", &v::server_name, text(formats::host),
                "The name in the servers' certificates, where it is not the address."),
            key("namespace", &v::space, text(formats::vault_path), "The namespace."),
            group("auth",
                  object<v>("a way to log in, such as {approle: {}}",
                            {key("approle", &v::approle, approle_section(),
                                 "By AppRole, with a role for each node.")}),
                  "How a node logs in."),
            key("pki", &v::pki, pki_section(), "What signs the mesh's certificates."),
            key("kv", &v::kv, kv_section(), "Where the mesh's secrets are."),
        });
}

}  // namespace bevmesh::config
