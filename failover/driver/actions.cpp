// The driver's hands: each action as a coroutine that ends in the event that answers it.
#include <algorithm>

#include "failover/driver/answers.hpp"
#include "failover/driver/driver.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

using boost::asio::awaitable;

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

milliseconds ms(nanoseconds n) {
    return std::chrono::duration_cast<milliseconds>(n);
}

}  // namespace

void driver::act(action a) {
    if (!std::holds_alternative<tell>(a)) log_.debug(to_string(a), {{"group", rules_.group}});
    std::visit(
        overloaded{
            [&](read_record& x) { spawn(do_read(x), "read the lease"); },
            [&](write_record& x) { spawn(do_write(std::move(x)), "write the lease"); },
            [&](ask_promises& x) {
                for (auto const& node : x.nodes)
                    spawn(do_ask_promise(node, {rules_.group, x.round, x.epoch}),
                          "ask for a promise");
            },
            [&](answer_promise& x) { answer(x); },
            [&](ask_peer& x) { spawn(do_ask_peer(std::move(x)), "ask a member"); },
            [&](nudge& x) {
                for (auto const& node : x.nodes)
                    spawn(do_nudge(node), "nudge a member");
            },
            [&](arm_guard& x) { guard_lane_.push({[this, x] { return do_arm(x); }}); },
            [&](extend_guard& x) { guard_lane_.push({[this, x] { return do_extend(x); }}); },
            [&](forget_guard& x) { guard_lane_.push({[this, x] { return do_forget(x); }}); },
            [&](probe& x) { spawn(do_probe(x), "probe"); },
            [&](end_streams& x) {
                database_lane_.push({[this, x] { return do_end_streams(x); },
                                     [this, op = x.op] { give(refused(op, "fenced before")); }});
            },
            [&](fence& x) { begin_fence(std::move(x)); },
            [&](start_database& x) { enqueue_start(x); },
            [&](run_hook& x) { spawn(do_hook(std::move(x)), "hook"); },
            [&](tell& x) { parts_.history.note(x.how, x.text); },
            [&](auto& x) { enqueue(std::move(x)); },
        },
        a);
}

template <class Action>
void driver::enqueue(Action what) {
    auto const op = what.op;
    database_lane_.push({[this, what] { return do_database(what); },
                         [this, op] { give(refused(op, "fenced before")); }});
}

template <class Action>
awaitable<void> driver::do_database(Action what) {
    auto answer = co_await parts_.database.perform(std::move(what));
    give(std::move(answer));
}

void driver::enqueue_start(start_database what) {
    database_lane_.push({[this, what] { return do_start(what); },
                         [this, op = what.op] { give(refused(op, "fenced before")); }});
}

// A fence comes after what was sent before it, or that could undo it; but it does not wait for
// long: killing needs no order.
void driver::begin_fence(fence what) {
    database_lane_.drop_waiting();
    if (what.kill)
        spawn(do_fence(std::move(what)), "fence");
    else
        spawn(do_fence_in_order(std::move(what)), "fence");
}

awaitable<void> driver::do_fence_in_order(fence what) {
    bool const idle = co_await database_lane_.wait_idle(ms(rules_.timing.fence) / 4);
    if (!idle) what.kill = true;
    co_await do_fence(std::move(what));
}

awaitable<void> driver::do_fence(fence what) {
    auto answer = co_await parts_.database.perform(std::move(what));
    give(std::move(answer));
}

awaitable<void> driver::do_read(read_record what) {
    auto seen = co_await parts_.store.read(what.op, ms(rules_.timing.request));
    if (auto* const record = std::get_if<record_seen>(&seen))
        give(std::move(*record));
    else
        give(std::get<read_failed>(seen));
}

awaitable<void> driver::do_write(write_record what) {
    auto answer = co_await parts_.store.write(std::move(what), ms(rules_.timing.request));
    if (answer.result != outcome::done)
        log_.debug("the lease was not written",
                   {{"group", rules_.group}, {"reason", answer.detail}});
    give(std::move(answer));
}

awaitable<void> driver::do_ask_promise(std::string node, promise_request what) {
    auto const round = what.round;
    auto body = encode(what);
    auto const limit = ms(rules_.timing.request);
    auto const got = co_await parts_.call(node, member_target::promise, std::move(body), limit);
    if (!got) co_return;
    auto const reply = decode_promise_reply(*got);
    if (reply) give(promise_answered{node, round, reply->granted, reply->why});
}

awaitable<void> driver::do_ask_peer(ask_peer what) {
    peer_answered answer;
    answer.op = what.op;
    answer.node = what.node;
    auto body = encode_group(rules_.group);
    auto const limit = ms(rules_.timing.request);
    auto const got = co_await parts_.call(what.node, member_target::report, std::move(body), limit);
    if (got) {
        auto report = decode_report(*got);
        if (report) answer.report = std::move(*report);
    }
    give(std::move(answer));
}

awaitable<void> driver::do_nudge(std::string node) {
    auto body = encode_group(rules_.group);
    auto const limit = ms(rules_.timing.request);
    auto asking = parts_.call(std::move(node), member_target::nudge, std::move(body), limit);
    (void)co_await std::move(asking);
}

void driver::guard_said(std::uint64_t op, result<guard::status> const& said) {
    guard_answered answer;
    answer.op = op;
    if (!said) {
        answer.result = outcome::unknown;
        answer.detail = describe(said.error());
        guard_lost(answer.detail);
        return spawn(give_later(std::move(answer), ms(rules_.timing.fence) / 10), "no guard");
    } else {
        answer.result = said->done() ? outcome::done : outcome::refused;
        answer.guard_id = said->guard_id;
        if (!said->done()) answer.detail = guard::text(said->said);
    }
    give(std::move(answer));
}

awaitable<void> driver::do_arm(arm_guard what) {
    auto const runs = co_await parts_.database.identify(what.process);
    if (!runs) {
        guard_answered answer;
        answer.op = what.op;
        answer.result = outcome::refused;
        answer.guard_id = guard_id_;
        answer.detail = describe(runs.error());
        give(std::move(answer));
        co_return;
    }
    armed_ = what.process;
    guard::lease_end until;
    until.valid_until = what.valid_until;
    until.margin = rules_.timing.kill;
    std::optional<std::string> blob = memory_blob(what.process, what.memory);
    auto const said =
        co_await parts_.keeper.arm(runs->victim, runs->pidfd->get(), until, std::move(blob));
    guard_said(what.op, said);
}

awaitable<void> driver::do_extend(extend_guard what) {
    guard::lease_end until;
    until.valid_until = what.valid_until;
    until.margin = rules_.timing.kill;
    until.shorten = what.shorter;
    std::optional<std::string> blob = memory_blob(armed_, what.memory);
    auto const said = co_await parts_.keeper.extend(until, std::move(blob));
    guard_said(what.op, said);
}

awaitable<void> driver::do_forget(forget_guard what) {
    std::optional<std::string> blob = std::string();
    auto const said = co_await parts_.keeper.forget(std::move(blob));
    guard_said(what.op, said);
}

awaitable<void> driver::do_probe(probe what) {
    auto seen = co_await parts_.database.look(what);
    auto const process = seen.facts.process;
    if (!process.empty() && process != watched_) {
        watched_ = process;
        spawn(watch_process(process), "watch the process");
    }
    give(std::move(seen));
}

awaitable<void> driver::do_end_stream_of(std::string node) {
    auto body = encode_group(rules_.group);
    auto const limit = ms(rules_.timing.request);
    (void)co_await parts_.call(std::move(node), member_target::end_stream, std::move(body), limit);
}

awaitable<void> driver::do_end_streams(end_streams what) {
    for (auto const& node : what.nodes)
        if (node != rules_.self) spawn(do_end_stream_of(node), "end a member's stream");
    auto answer = co_await parts_.database.stop_following(what.op);
    answer.op = what.op;
    give(std::move(answer));
}

awaitable<void> driver::do_start(start_database what) {
    auto answer = co_await parts_.database.perform(what);
    if (answer.result == outcome::done) {
        give(std::move(answer));
        co_return;
    }
    log_.warning("the database could not be started",
                 {{"group", rules_.group}, {"reason", answer.detail}});
    spawn(give_later(std::move(answer), ms(rules_.probe)), "a start that failed");
}

// What is refused at once would be asked again at once.
awaitable<void> driver::give_later(event answer, milliseconds pause) {
    co_await net::sleep_for(pause);
    give(std::move(answer));
}

awaitable<void> driver::do_hook(run_hook what) {
    auto answer = co_await run_hook_program(parts_.hooks, std::move(what));
    give(std::move(answer));
}

}  // namespace bevmesh::failover
