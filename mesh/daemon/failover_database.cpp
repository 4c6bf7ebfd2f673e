#include "mesh/daemon/failover_database.hpp"

#include <filesystem>

#include "failover/configured.hpp"
#include "failover/driver/postgres_database.hpp"
#include "failover/driver/redis_database.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/service_reload.hpp"
#include "mesh/postgres/connection.hpp"

namespace bevmesh::daemon {
namespace {

namespace fo = failover;

template <class Address>
std::map<std::string, Address> as(fo::service_addresses const& where) {
    std::map<std::string, Address> out;
    for (auto const& [node, at] : where)
        out[node] = {at.host, at.port};
    return out;
}

std::unique_ptr<fo::database_port> make_redis(boost::asio::any_io_executor executor,
                                              fo::housing& house, database_settings const& from) {
    auto const place = fo::placement_of(from.group, from.rules.self);
    fo::redis_options how;
    how.policy = from.rules;
    how.where = as<fo::redis::address>(from.where);
    how.data_dir = place.data_dir;
    how.quarantine_dir = place.quarantine_dir;
    how.login = [ours = from.certificates.ours, user = from.group.user,
                 word = from.password](fo::redis::address const& at) {
        auto const tls = of_one_generation(ours);
        bevmesh::redis::settings s;
        s.where.transport = tls.enabled ? net::endpoint::kind::tls : net::endpoint::kind::tcp;
        s.where.host = at.host;
        s.where.port = at.port;
        s.tls.ca_file = tls.ca_file;
        s.tls.cert_file = tls.cert_file;
        s.tls.key_file = tls.key_file;
        s.tls.server_name = tls.server_name;
        s.user = user;
        s.password = word;
        return s;
    };
    return fo::make_redis_database(std::move(executor), house, std::move(how));
}

std::unique_ptr<fo::database_port> make_postgres(boost::asio::any_io_executor executor,
                                                 fo::housing& house,
                                                 database_settings const& from) {
    auto const& group = from.group;
    auto const place = fo::placement_of(group, from.rules.self);
    std::string const user = group.user.empty() ? "postgres" : group.user;
    fo::postgres_options how;
    how.policy = from.rules;
    how.where = as<fo::postgres::address>(from.where);
    how.data_dir = place.data_dir;
    how.quarantine_dir = place.quarantine_dir;
    how.mark = from.state_dir + "/failover-" + group.name + ".remaking";
    how.replication.user = user;
    how.replication.password = from.password;
    if (from.certificates.ours.enabled) {
        auto const& its = from.certificates.its;
        // Without files that are the server's own nobody knows whom it may trust.
        how.replication.ssl_mode = its.trusted.empty() ? "require" : "verify-full";
        how.replication.ssl_root_cert = its.trusted;
        how.replication.ssl_cert = its.certificate;
        how.replication.ssl_key = its.key;
    }
    how.login = [ours = from.certificates.ours, database = group.database, user,
                 word = from.password](fo::postgres::address const& at) {
        auto const tls = of_one_generation(ours);
        bevmesh::postgres::settings s;
        s.host = at.host;
        s.port = at.port;
        s.user = user;
        if (!database.empty()) s.database = database;
        s.password = word;
        if (tls.enabled) {
            s.ssl_mode = tls.ca_file.empty() ? "require" : "verify-full";
            s.ssl_root_cert = tls.ca_file;
            s.ssl_cert = tls.cert_file;
            s.ssl_key = tls.key_file;
        }
        return s;
    };
    return fo::make_postgres_database(std::move(executor), house, std::move(how));
}

}  // namespace

database_certificates certificates_for(failover_group_config const& group, mesh_config const& mesh,
                                       std::string const& node) {
    database_certificates made;
    made.ours = group.tls;
    if (!group.tls.enabled) return made;
    auto const use = [&made](certs::file_paths const& files) {
        if (!made.ours.ca_file.empty() || !made.ours.cert_file.empty()) return;
        made.ours.ca_file = files.trusted;
        made.ours.cert_file = files.certificate;
        made.ours.key_file = files.key;
    };
    for (auto const& service : mesh.services) {
        auto const& tls = service.tls;
        if (group.kind != "postgres" || service.name != group.name || tls.recipe.empty() ||
            instances_on(service, node).empty())
            continue;
        made.its = files_seen(tls);
        use(own_files(tls));
    }
    if (peers_by_vault(mesh)) {
        use(own_files(peer_tls(mesh.state_dir)));
    }
    return made;
}

failover_tls_config of_one_generation(failover_tls_config tls) {
    namespace fs = std::filesystem;
    auto const folder = fs::path(tls.cert_file).parent_path();
    if (folder.empty() || fs::path(tls.key_file).parent_path() != folder ||
        fs::path(tls.ca_file).parent_path() != folder)
        return tls;
    std::error_code error;
    auto const generation = fs::canonical(folder, error);
    if (error) return tls;
    for (auto* const file : {&tls.ca_file, &tls.cert_file, &tls.key_file})
        *file = generation / fs::path(*file).filename();
    return tls;
}

result<std::unique_ptr<fo::database_port>> make_database(boost::asio::any_io_executor executor,
                                                         fo::housing& house,
                                                         database_settings from) {
    if (from.rules.kind == fo::kind::redis) return make_redis(std::move(executor), house, from);
    if (fo::placement_of(from.group, from.rules.self).data_dir.empty())
        return failure{errc::bad_input,
                       "PostgreSQL needs data_dir: the data directory as the daemon sees it"};
    if (auto const there = postgres::check_library(); there.has_error()) return there.error();
    return make_postgres(std::move(executor), house, from);
}

}  // namespace bevmesh::daemon
