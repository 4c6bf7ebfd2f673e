#include "mesh/daemon/failover_database.hpp"

#include "failover/configured.hpp"
#include "failover/driver/postgres_database.hpp"
#include "failover/driver/redis_database.hpp"

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
    how.login = [tls = from.group.tls, user = from.group.user,
                 word = from.password](fo::redis::address const& at) {
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
    how.replication.user = user;
    how.replication.password = from.password;
    // Files of the daemon's own; the server's certificates are its own affair.
    if (group.tls.enabled) how.replication.ssl_mode = "require";
    how.login = [tls = group.tls, database = group.database, user,
                 word = from.password](fo::postgres::address const& at) {
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

result<std::unique_ptr<fo::database_port>> make_database(boost::asio::any_io_executor executor,
                                                         fo::housing& house,
                                                         database_settings from) {
    if (from.rules.kind == fo::kind::redis) return make_redis(std::move(executor), house, from);
    if (fo::placement_of(from.group, from.rules.self).data_dir.empty())
        return failure{errc::bad_input,
                       "PostgreSQL needs data_dir: the data directory as the daemon sees it"};
    return make_postgres(std::move(executor), house, from);
}

}  // namespace bevmesh::daemon
