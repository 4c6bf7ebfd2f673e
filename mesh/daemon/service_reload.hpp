// From a service's `tls` to the call that tells it of new files, and the addresses that show them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "certs/recipes.hpp"
#include "certs/reload.hpp"
#include "certs/reload_call.hpp"
#include "certs/wire.hpp"
#include "mesh/base/config.hpp"
#include "mesh/base/result.hpp"
#include "mesh/daemon/restart_turn.hpp"
#include "mesh/docker/client.hpp"

namespace bevmesh::daemon {

/// One service on one node, and the means to tell it, which must outlive the calls.
struct reload_case {
    service_config const& service;
    std::string node;
    std::string address;  // of the node
    docker::client& docker;
    certs::reload_call reload_agent;  // Consul's, of the node
    /// Why the service must not be restarted here now: it is the primary of its group.
    std::function<result<void>()> may_restart;
    std::vector<certs::wire_address> others;  // instances on other nodes
    restart_turn* turn = nullptr;             // null: no other node has an instance
};

/// Tells every instance of the service on the node, as its recipe has it for `what`; of those that
/// are restarted one at a time, up to the first that does not come back. errc::bad_input: what the
/// recipe needs and the service has not; local_error: its password cannot be read.
[[nodiscard]] result<certs::reload_call> reload_of(reload_case const& of, certs::change what);

/// Why a new certificate could not get to the service now, whatever it is told; to be asked before
/// one is made.
[[nodiscard]] std::function<boost::asio::awaitable<result<void>>()> ready_of(reload_case const& of);

/// Asks the service's instances on the node whether they are set up to read crl.pem: a failure says
/// which is not, and what is expected there. Empty: the product has no way to ask.
[[nodiscard]] std::function<boost::asio::awaitable<result<void>>()> crl_check_of(
    reload_case const& of);

/// What must show a new certificate.
[[nodiscard]] certs::wire_address shown_at(service_config const& service,
                                           instance_config const& instance,
                                           std::string const& address);

/// The files in use, as the daemon has them, and as the service itself sees them.
[[nodiscard]] certs::file_paths own_files(service_tls_config const& tls);
[[nodiscard]] certs::file_paths files_seen(service_tls_config const& tls);

[[nodiscard]] std::vector<instance_config const*> instances_on(service_config const& service,
                                                               std::string const& node);

}  // namespace bevmesh::daemon
