// What the members' daemons say to each other about a group: the messages, and how they travel.
//
// The transport is a function that the daemon gives (mutual TLS, mesh/daemon/peers): the name of
// the sender is what its certificate says and never part of a message. Encoding is pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "failover/action.hpp"
#include "failover/event.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover {

using boost::asio::awaitable;

/// POST `target` with a JSON `body` to the daemon of `node`, within `limit`.
using member_call = std::function<awaitable<result<std::string>>(
    std::string node, std::string target, std::string body, milliseconds limit)>;

struct promise_request {
    std::string group;
    std::string round;
    std::uint64_t epoch = 0;
};
struct promise_reply {
    bool granted = false;
    std::string why;
};

[[nodiscard]] std::string encode(promise_request const& r);
[[nodiscard]] result<promise_request> decode_promise_request(std::string_view text);
[[nodiscard]] std::string encode(promise_reply const& r);
[[nodiscard]] result<promise_reply> decode_promise_reply(std::string_view text);
[[nodiscard]] std::string encode(member_report const& r);
[[nodiscard]] result<member_report> decode_report(std::string_view text);
/// {"group": GROUP}, of a question that says no more.
[[nodiscard]] std::string encode_group(std::string_view group);
[[nodiscard]] result<std::string> decode_group(std::string_view text);

namespace member_target {
inline constexpr auto promise = "/v1/failover/promise";
inline constexpr auto report = "/v1/failover/report";
inline constexpr auto nudge = "/v1/failover/nudge";
inline constexpr auto end_stream = "/v1/failover/end_stream";
}  // namespace member_target

}  // namespace bevmesh::failover
