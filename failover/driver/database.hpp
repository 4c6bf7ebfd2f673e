// One database as a group's driver sees it: what the core asks of it, in the core's own words.
//
// failover/redis and failover/postgres are the two. Each call is bounded by the adapter itself: by
// the limit in its action, else by the timing and limits of its policy. "No answer" is
// outcome::unknown and never turned into success or failure. Answers carry the op of their action.
// The driver keeps the order: a call that changes something begins when the one before it ended;
// probe() may come beside any of them, and fence() with `kill` too.
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "failover/action.hpp"
#include "failover/driver/housing.hpp"
#include "failover/event.hpp"

namespace bevmesh::failover {

class database_port {
public:
    virtual ~database_port() = default;

    virtual awaitable<probed> look(probe what) = 0;
    /// What runs, held by a pidfd that was opened before the process told its name and was still
    /// good after: so it is the one that is called `process`. errc::conflict: another one answers.
    virtual awaitable<result<running>> identify(std::string process) = 0;
    virtual awaitable<carried_out> perform(promote what) = 0;
    virtual awaitable<carried_out> perform(prove what) = 0;
    virtual awaitable<carried_out> perform(set_gate what) = 0;
    virtual awaitable<carried_out> perform(drain what) = 0;
    virtual awaitable<carried_out> perform(resume_writes what) = 0;
    virtual awaitable<fenced> perform(fence what) = 0;
    virtual awaitable<carried_out> perform(start_database what) = 0;
    virtual awaitable<carried_out> perform(follow what) = 0;
    virtual awaitable<carried_out> perform(checkpoint what) = 0;
    virtual awaitable<carried_out> perform(quarantine what) = 0;
    virtual awaitable<carried_out> perform(resync what) = 0;
    /// end_streams, on this node: it stops following whomever it follows.
    virtual awaitable<carried_out> stop_following(std::uint64_t op) = 0;
};

}  // namespace bevmesh::failover
