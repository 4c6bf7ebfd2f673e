// The local Consul agent's HTTP API, as far as bevmesh needs it.
//
// Services are written through the agent and never through the catalog: the agent's anti-entropy
// puts back what the catalog lost (hashicorp/consul#1188). Failures name method, path, peer and the
// first line of the answer: 403 is errc::forbidden, 404 not_found, 409 conflict, 429 and 5xx
// remote_error.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/consul/answer.hpp"
#include "mesh/consul/identity.hpp"
#include "mesh/consul/types.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::consul {

using net::awaitable;

class client {
public:
    virtual ~client() = default;

    virtual awaitable<result<agent_self>> self() = 0;
    virtual awaitable<result<answer<std::map<std::string, agent_service>>>> services() = 0;
    virtual awaitable<result<answer<std::map<std::string, agent_check>>>> checks() = 0;
    /// errc::not_found when the agent has none. With `b.hash`: waits until it differs.
    virtual awaitable<result<answer<agent_service>>> service(std::string id, blocking b) = 0;
    /// As the agent has it now, whatever its health; errc::not_found when it has none.
    virtual awaitable<result<agent_entry>> entry(std::string id) = 0;
    /// With ?replace-existing-checks=true: without it removed checks linger.
    virtual awaitable<result<void>> register_service(service_definition definition) = 0;
    virtual awaitable<result<void>> deregister_service(std::string id) = 0;
    virtual awaitable<result<void>> update_check(std::string check_id, status state,
                                                 std::string output) = 0;
    virtual awaitable<result<void>> deregister_check(std::string check_id) = 0;
    virtual awaitable<result<void>> service_maintenance(std::string id, bool on,
                                                        std::string reason) = 0;

    virtual awaitable<result<answer<std::map<std::string, std::vector<std::string>>>>>
    catalog_services(blocking b) = 0;
    /// As the catalog has it, whatever its health; without checks.
    virtual awaitable<result<answer<std::vector<health_entry>>>> catalog_service(std::string name,
                                                                                 blocking b) = 0;
    virtual awaitable<result<answer<std::vector<health_entry>>>> health_service(std::string name,
                                                                                bool passing_only,
                                                                                std::string tag,
                                                                                blocking b) = 0;

    /// Empty when there is nothing under the prefix.
    virtual awaitable<result<answer<std::vector<kv_entry>>>> kv_list(std::string prefix,
                                                                     blocking b) = 0;
    virtual awaitable<result<answer<kv_entry>>> kv_get(std::string key, blocking b) = 0;
    /// `cas` set: only if the entry's ModifyIndex is that (0: only if absent); false when it is
    /// not.
    virtual awaitable<result<bool>> kv_put(std::string key, std::string value,
                                           std::optional<std::uint64_t> cas) = 0;
    virtual awaitable<result<void>> kv_delete(std::string key) = 0;
    /// Only if the entry's ModifyIndex is `cas`; false when it is not.
    virtual awaitable<result<bool>> kv_delete_cas(std::string key, std::uint64_t cas) = 0;
    /// The operations as Consul's JSON array, values in base64; gives the results' document.
    /// errc::conflict carries Consul's reasons, and nothing was changed.
    virtual awaitable<result<std::string>> transaction(std::string operations) = 0;
    /// The agent reads its files again; answered when it has, or with why it keeps what it had.
    /// `has_ended`: one whose certificate has ended is told too, by a connection of its own.
    virtual awaitable<result<void>> reload(bool has_ended) = 0;
    /// "ACCESSOR (policy, policy)" of the token in use.
    virtual awaitable<result<std::string>> token_self() = 0;

    /// SIGHUP: a token that was renewed. Requests under way keep the old one.
    virtual void set_token(secret token) = 0;
    [[nodiscard]] virtual net::endpoint const& peer() const noexcept = 0;
};

/// `as`: made of the same settings.
[[nodiscard]] result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                                          consul_config const& settings,
                                                          std::shared_ptr<identity> as,
                                                          secret token);

}  // namespace bevmesh::consul
