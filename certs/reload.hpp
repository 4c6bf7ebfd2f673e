// How a service is told that its certificate's files are others.
//
// A yes is not believed: the wire is looked at afterwards. Which service is told how is
// certs/recipes.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "certs/reload_call.hpp"
#include "certs/wire.hpp"
#include "mesh/base/result.hpp"
#include "mesh/docker/client.hpp"
#include "mesh/postgres/connection.hpp"
#include "mesh/redis/connection.hpp"

namespace bevmesh::certs {

/// As the service sees them, which in a container is elsewhere.
struct file_paths {
    std::string certificate;
    std::string key;
    std::string trusted;
    std::string crls = {};
};

/// All three by one CONFIG SET, without which Redis refuses a pair that does not fit. The same
/// paths are read again from 7.0.1 on.
[[nodiscard]] boost::asio::awaitable<result<void>> reload_redis(redis::settings where,
                                                                file_paths files, dates how,
                                                                milliseconds limit);
/// pg_reload_conf(), which answers true also where the server then keeps its old certificate.
[[nodiscard]] boost::asio::awaitable<result<void>> reload_postgres(postgres::settings where,
                                                                   milliseconds limit);

/// errc::conflict: `ssl_crl_file` of the server is not this file, so that it refuses nobody by it.
[[nodiscard]] boost::asio::awaitable<result<void>> check_postgres_crl(postgres::settings where,
                                                                      std::string file,
                                                                      milliseconds limit);
/// errc::conflict: no `ssl_crl` of the configuration in the container is this file.
[[nodiscard]] boost::asio::awaitable<result<void>> check_nginx_crl(docker::client& engine,
                                                                   std::string name,
                                                                   std::string file);

/// nginx, InfluxDB 1.12, Patroni: "SIGHUP", to the container's first process.
[[nodiscard]] boost::asio::awaitable<result<void>> signal_container(docker::client& engine,
                                                                    std::string name,
                                                                    std::string signal);
/// A command in the container, such as {rabbitmqctl, eval, "ssl:clear_pem_cache()."}; one that ends
/// with another status than 0 is a failure with what it wrote.
[[nodiscard]] boost::asio::awaitable<result<void>> run_in_container(docker::client& engine,
                                                                    std::string name,
                                                                    std::vector<std::string> argv);
/// "SIGHUP" and its like, to the process whose number is in the file: never to one that the file
/// cannot mean (0, 1, a group).
[[nodiscard]] boost::asio::awaitable<result<void>> signal_process(std::string pid_file,
                                                                  std::string signal);
/// A program of the node's.
[[nodiscard]] boost::asio::awaitable<result<void>> run_on_node(std::vector<std::string> argv,
                                                               milliseconds limit);

struct restart_settings {
    std::string container;
    seconds grace{10};   // to stop by itself
    wire_address where;  // takes connections again, within `limit`
    milliseconds limit{60'000};
    std::function<result<void>()> may;  // why not, now; empty: always
    /// The service's other instances: each must take connections, or this is the second that is
    /// away.
    std::vector<wire_address> others;
    /// The right to be the only one, over all nodes; both empty: there is none to be had.
    std::function<boost::asio::awaitable<result<void>>()> take_turn;
    std::function<boost::asio::awaitable<void>()> give_turn_back;
};
/// errc::conflict: why it must not be restarted now.
[[nodiscard]] boost::asio::awaitable<result<void>> may_restart(restart_settings how);
/// For services that cannot reload: Sentinel, InfluxDB 2, Neo4j's Community edition. Done when the
/// service takes connections again.
[[nodiscard]] boost::asio::awaitable<result<void>> restart_container(docker::client& engine,
                                                                     restart_settings how);
/// POST without a body, such as https://10.0.0.1:9093/-/reload.
[[nodiscard]] boost::asio::awaitable<result<void>> post(net::endpoint where, net::tls_options tls,
                                                        std::string target, dates how,
                                                        milliseconds limit);

/// errc::conflict, naming it, where something within `folder`, and not the folder itself, is bound
/// into the container: files that are renamed into their place are not seen there, and everything
/// on the disk looks well until the certificate ends. A container that is not there has none.
[[nodiscard]] boost::asio::awaitable<result<void>> check_binds(docker::client& engine,
                                                               std::string name,
                                                               std::string folder);

/// One after the other, up to the first that fails.
[[nodiscard]] boost::asio::awaitable<result<void>> tell_in_turn(std::vector<reload_call> calls,
                                                                dates how);
/// Each, one after the other, also where one fails: what failed is in one failure.
[[nodiscard]] boost::asio::awaitable<result<void>> tell_all(std::vector<reload_call> calls,
                                                            dates how);

}  // namespace bevmesh::certs
