// By which certificates a group's database is met.
#include "mesh/daemon/failover_database.hpp"

#include <filesystem>
#include <stdlib.h>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;

namespace {

mesh_config mesh_with_vault() {
    mesh_config mesh;
    mesh.state_dir = "/s";
    mesh.nodes["n1"];
    mesh.nodes["n2"];
    mesh.vault.addresses = {"https://10.0.0.1:8200"};
    return mesh;
}

failover_group_config group_of(std::string const& kind) {
    failover_group_config group;
    group.name = "db";
    group.kind = kind;
    group.members = {"n1", "n2"};
    group.tls.enabled = true;
    return group;
}

service_config service_with_certificate() {
    service_config service;
    service.name = "db";
    service.tls.recipe = "postgres";
    service.tls.folder = "/etc/db";
    service.tls.seen_as = "/tls";
    service.instances.emplace_back();
    service.instances.back().nodes = {"n1"};
    return service;
}

}  // namespace

TEST_CASE("a database that is asked by TLS meets the daemon's own certificate of Vault") {
    auto mesh = mesh_with_vault();
    auto group = group_of("redis");
    auto const own = certificates_for(group, mesh, "n1").ours;
    CHECK(own.enabled);
    CHECK(own.ca_file == "/s/certs/bevmesh/current/ca.pem");
    CHECK(own.cert_file == "/s/certs/bevmesh/current/cert.pem");
    CHECK(own.key_file == "/s/certs/bevmesh/current/key.pem");
    mesh.services = {service_with_certificate()};
    CHECK(certificates_for(group, mesh, "n1").ours == own);
    mesh.vault = {};
    mesh.services.clear();
    CHECK(certificates_for(group, mesh, "n1").ours == group.tls);
}

TEST_CASE("files that the group names are taken, and none where it speaks no TLS") {
    auto const mesh = mesh_with_vault();
    auto group = group_of("redis");
    group.tls.ca_file = "/etc/redis-ca.pem";
    CHECK(certificates_for(group, mesh, "n1").ours == group.tls);
    group.tls = {};
    CHECK(certificates_for(group, mesh, "n1").ours == group.tls);
    CHECK(certificates_for(group, mesh, "n1").its.trusted.empty());
}

TEST_CASE("who keeps a PostgreSQL is its client by the certificate that has the role's name") {
    auto mesh = mesh_with_vault();
    mesh.services = {service_with_certificate()};
    auto const group = group_of("postgres");
    auto const made = certificates_for(group, mesh, "n1");
    CHECK(made.ours.cert_file == "/etc/db/current/cert.pem");
    CHECK(made.ours.key_file == "/etc/db/current/key.pem");
    CHECK(made.its.certificate == "/tls/current/cert.pem");
    CHECK(made.its.trusted == "/tls/current/ca.pem");
    // No instance there: nothing is kept.
    CHECK(certificates_for(group, mesh, "n2").its.certificate.empty());
}

TEST_CASE("a connection has its certificate and its key of one generation, whatever moves") {
    namespace fs = std::filesystem;
    auto pattern = (fs::temp_directory_path() / "bevmesh-test-XXXXXX").string();
    fs::path const home = fs::canonical(::mkdtemp(pattern.data()));
    fs::create_directory(home / ".gen-7");
    fs::create_directory_symlink(".gen-7", home / "current");
    failover_tls_config tls;
    tls.enabled = true;
    tls.ca_file = home / "current/ca.pem";
    tls.cert_file = home / "current/cert.pem";
    tls.key_file = home / "current/key.pem";
    auto const pinned = of_one_generation(tls);
    CHECK(pinned.ca_file == home / ".gen-7/ca.pem");
    CHECK(pinned.cert_file == home / ".gen-7/cert.pem");
    CHECK(pinned.key_file == home / ".gen-7/key.pem");
    auto elsewhere = tls;
    elsewhere.ca_file = "/etc/ca.pem";
    CHECK(of_one_generation(elsewhere) == elsewhere);
    fs::remove_all(home);
    CHECK(of_one_generation(tls) == tls);
    CHECK(of_one_generation({}) == failover_tls_config());
}
