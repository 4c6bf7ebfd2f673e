// The guard's unix socket: made by the guard, one message at a time in both directions.
//
// SOCK_SEQPACKET keeps messages whole and in order. Nothing here allocates but open_listener and
// connect_to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::guard {

/// Listening at `path`, a stale file replaced, nobody but `owner` and root able to connect. Call
/// only while holding the group's state file: the lock is what makes a file stale.
[[nodiscard]] result<descriptor> open_listener(std::string const& path, uid_t owner);

/// Connected, non-blocking. errc::unreachable: nobody listens.
[[nodiscard]] result<descriptor> connect_to(std::string const& path);

struct peer_id {
    pid_t pid = 0;
    uid_t uid = 0;
};
/// Who connected, by SO_PEERCRED.
[[nodiscard]] std::optional<peer_id> peer_of(int connection) noexcept;

enum class received { message, nothing_yet, closed };

/// One message and the descriptor that came with it. A message longer than `into` counts as closed.
struct message {
    received what = received::closed;
    std::size_t size = 0;
    descriptor passed;
};
[[nodiscard]] message receive(int connection, std::span<char> into) noexcept;

/// All of it now, or false. `passed` -1: none.
[[nodiscard]] bool send(int connection, std::span<char const> bytes, int passed = -1) noexcept;

}  // namespace bevmesh::failover::guard
