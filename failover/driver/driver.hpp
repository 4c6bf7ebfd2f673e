// Carries out what the core of one group says, and tells it what happened. No policy here.
//
// Everything runs in the loop's one thread: an event goes through step(), the actions that come out
// are begun in their order. What changes the database waits in one lane, what goes to the guard in
// another; all else is a short coroutine of its own. Nothing is retried here: the core asks again.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "failover/driver/clock_timer.hpp"
#include "failover/driver/counts.hpp"
#include "failover/driver/database.hpp"
#include "failover/driver/hooks.hpp"
#include "failover/driver/journal.hpp"
#include "failover/driver/lane.hpp"
#include "failover/driver/lease_store.hpp"
#include "failover/driver/members.hpp"
#include "failover/guard/client.hpp"
#include "failover/step.hpp"
#include "mesh/net/task_group.hpp"

namespace bevmesh::failover {

/// All must outlive run().
struct driver_parts {
    lease_store& store;
    guard::client& keeper;
    database_port& database;
    housing& house;
    member_call call;
    hook_settings hooks;
    journal& history;
    /// Told after each step; may be empty.
    std::function<void()> on_step = {};
};

class driver {
public:
    driver(boost::asio::any_io_executor executor, policy rules, driver_parts parts);

    /// Until canceled; leaves lease, database and guard as they are.
    boost::asio::awaitable<void> run();

    /// From outside: orders and the pause.
    void give(event e);

    /// Another member asks for a promise; its answer, or none within R.
    boost::asio::awaitable<result<promise_reply>> promise(std::string from, promise_request asked);
    /// This node's database stops following, for a member that is about to promote.
    boost::asio::awaitable<result<void>> end_stream();
    [[nodiscard]] member_report report() const;

    [[nodiscard]] state const& view() const noexcept { return state_; }
    [[nodiscard]] policy const& rules() const noexcept { return rules_; }
    [[nodiscard]] driver_counts const& counts() const noexcept { return counts_; }
    [[nodiscard]] journal const& history() const noexcept { return parts_.history; }

private:
    struct waiting {
        boost::asio::steady_timer timer;
        std::optional<promise_reply> reply;
    };
    using promise_key = std::pair<std::string, std::string>;  // node, round

    boost::asio::awaitable<void> begin();
    boost::asio::awaitable<void> keep_time();
    boost::asio::awaitable<void> watch_guard();
    boost::asio::awaitable<void> watch_record();
    boost::asio::awaitable<void> watch_process(std::string process);

    boost::asio::awaitable<void> do_read(read_record what);
    boost::asio::awaitable<void> do_write(write_record what);
    boost::asio::awaitable<void> do_ask_promise(std::string node, promise_request what);
    boost::asio::awaitable<void> do_ask_peer(ask_peer what);
    boost::asio::awaitable<void> do_nudge(std::string node);
    boost::asio::awaitable<void> do_arm(arm_guard what);
    boost::asio::awaitable<void> do_extend(extend_guard what);
    boost::asio::awaitable<void> do_forget(forget_guard what);
    boost::asio::awaitable<void> do_probe(probe what);
    boost::asio::awaitable<void> do_end_streams(end_streams what);
    boost::asio::awaitable<void> do_end_stream_of(std::string node);
    boost::asio::awaitable<void> do_fence(fence what);
    boost::asio::awaitable<void> do_fence_in_order(fence what);
    boost::asio::awaitable<void> do_start(start_database what);
    boost::asio::awaitable<void> give_later(event answer, milliseconds pause);
    boost::asio::awaitable<void> do_hook(run_hook what);
    template <class Action>
    boost::asio::awaitable<void> do_database(Action what);

    void drain_events();
    void stage_changed(stage from, std::optional<lease_record> const& before);
    void act(action a);
    void answer(answer_promise const& a);
    template <class Action>
    void enqueue(Action what);
    void enqueue_start(start_database what);
    void begin_fence(fence what);
    void guard_said(std::uint64_t op, result<guard::status> const& said);
    void guard_lost(std::string const& why);
    [[nodiscard]] std::string memory_blob(std::string const& process, lease_memory const& m) const;
    void spawn(boost::asio::awaitable<void> task, char const* name);

    boost::asio::any_io_executor executor_;
    policy rules_;
    driver_parts parts_;
    log::logger log_{"failover"};
    net::task_group tasks_;
    clock_timer timer_;
    lane database_lane_;
    lane guard_lane_;
    state state_;
    driver_counts counts_;
    std::deque<event> events_;
    bool draining_ = false;
    bool started_ = false;
    std::string guard_id_;
    std::string guard_trouble_;  // told last
    std::string armed_;
    std::string const crash_after_;  // tests only: BEVMESH_CRASH_AFTER, a stage
    std::string watched_;            // the process whose end is waited for
    std::map<promise_key, std::shared_ptr<waiting>> promises_;
};

}  // namespace bevmesh::failover
