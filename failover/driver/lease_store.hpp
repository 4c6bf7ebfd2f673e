// Where the group's record is: one entry of Consul's KV, and the endpoint `GROUP-primary` beside
// it.
//
// Nothing here decides; outcomes are told as they are known. A refused transaction (409), a
// connection that could not be made and a 403 are certainly without effect, all else that is no
// answer is unknown.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "failover/action.hpp"
#include "failover/event.hpp"
#include "mesh/consul/client.hpp"

namespace bevmesh::failover {

using boost::asio::awaitable;

struct service_address {
    std::string host;
    std::uint16_t port = 0;
};
/// By node: what the endpoint says of a holder.
using service_addresses = std::map<std::string, service_address>;

class lease_store {
public:
    using listener = std::function<void(record_seen)>;
    virtual ~lease_store() = default;

    /// ?consistent. read_failed when there was no answer within `limit`.
    virtual awaitable<std::variant<record_seen, read_failed>> read(std::uint64_t op,
                                                                   milliseconds limit) = 0;
    virtual awaitable<write_answered> write(write_record what, milliseconds limit) = 0;
    /// By blocking queries, until canceled.
    virtual awaitable<void> watch(listener on_change) = 0;
};

/// `agent` must outlive it.
[[nodiscard]] std::unique_ptr<lease_store> make_lease_store(consul::client& agent,
                                                            std::string group,
                                                            service_addresses where);

/// "bevmesh/failover/GROUP"
[[nodiscard]] std::string lease_key(std::string_view group);
/// The operations of one transaction, as Consul's JSON. Pure.
[[nodiscard]] std::string encode_transaction(write_record const& what, std::string const& group,
                                             service_addresses const& where);
/// The entry's new ModifyIndex in a transaction's answer; errc::bad_answer when it is not there.
[[nodiscard]] result<std::uint64_t> decode_transaction(std::string_view document,
                                                       std::string const& group);

}  // namespace bevmesh::failover
