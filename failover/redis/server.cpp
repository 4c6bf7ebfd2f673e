#include "failover/redis/server.hpp"

#include "failover/database/standing.hpp"
#include "failover/redis/session.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::failover::redis {
namespace {

net::steady_point in(milliseconds limit) {
    return std::chrono::steady_clock::now() + limit;
}

class redis_server final : public server {
public:
    redis_server(boost::asio::any_io_executor executor, server_options options)
        : executor_(std::move(executor)), options_(std::move(options)) {}

    awaitable<done<server_state>> probe(milliseconds limit) override;
    awaitable<done<void>> prove(std::string process, milliseconds limit) override;
    awaitable<done<position>> set_gate(std::string process, unsigned count, unsigned lag,
                                       milliseconds limit) override;
    awaitable<done<void>> demote(std::string process, std::optional<address> upstream,
                                 milliseconds limit) override;
    awaitable<done<void>> promote(std::string process, instant not_after, unsigned gate,
                                  unsigned lag, milliseconds limit) override;
    awaitable<done<void>> end_stream(std::string process, milliseconds limit) override;
    awaitable<done<void>> follow(std::string process, address upstream,
                                 bevmesh::redis::settings upstream_login,
                                 milliseconds limit) override;
    awaitable<done<void>> resync(std::string process, address upstream,
                                 milliseconds limit) override;
    awaitable<done<position>> drain(std::string process, bevmesh::redis::settings target,
                                    milliseconds limit, milliseconds hold) override;
    awaitable<done<void>> resume_writes(std::string process, milliseconds limit) override;
    awaitable<done<server_state>> save(std::string process, milliseconds limit) override;

private:
    using sessions = database::standing<session>;
    using opened = done<sessions::loan>;

    auto opener() {
        return [this](std::string process, net::steady_point deadline) {
            return session::open(executor_, options_.login(), std::move(process), deadline);
        };
    }
    awaitable<opened> talk_to(std::string process, milliseconds limit) {
        return standing_->lend_for(std::move(process), in(limit), opener());
    }
    static awaitable<done<server_state>> look_at(session& with);
    awaitable<done<void>> gate(session& with, unsigned count, unsigned lag);
    awaitable<done<void>> pause(session& with, milliseconds hold);
    awaitable<done<void>> point_at(session& with, address upstream);
    awaitable<done<position>> reached(bevmesh::redis::settings target, position wanted,
                                      net::steady_point deadline);

    boost::asio::any_io_executor executor_;
    server_options options_;
    std::shared_ptr<sessions> standing_ = std::make_shared<sessions>();
};

awaitable<done<server_state>> redis_server::look_at(session& with) {
    // PING is what LOADING, BUSY and MISCONF are told by; INFO answers while it loads.
    auto const ping = co_await with.ask(words("PING"));
    auto const why = ping ? condition::ok : ping.error().why;
    if (!ping && why != condition::loading && why != condition::write_fails) co_return ping.error();
    auto state = co_await with.state();
    if (state) state->misconfigured = why == condition::write_fails;
    co_return std::move(state);
}

awaitable<done<server_state>> redis_server::probe(milliseconds limit) {
    auto const deadline = in(limit);
    auto stood = standing_->lend(std::chrono::steady_clock::now(), deadline);
    if (stood) {
        auto state = co_await look_at(*stood);
        if (state || std::chrono::steady_clock::now() >= deadline) co_return std::move(state);
    }
    auto const s = co_await standing_->lend_for(std::string(), deadline, opener());
    if (!s) co_return s.error();
    auto state = co_await look_at(**s);
    co_return std::move(state);
}

awaitable<done<void>> redis_server::prove(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const value = std::to_string(net::now().time_since_epoch().count());
    auto const set = co_await (*s)->change(words("SET", "bevmesh:probe", value, "PX", "60000"));
    if (!set) co_return set.error();
    co_return done<void>();
}

awaitable<done<void>> redis_server::gate(session& with, unsigned count, unsigned lag) {
    auto const n = std::to_string(count);
    auto const l = std::to_string(lag);
    auto const set = co_await with.change(
        words("CONFIG", "SET", "min-replicas-to-write", n, "min-replicas-max-lag", l));
    if (!set) co_return set.error();
    auto const state = co_await with.state();
    if (state && state->gate_count == count && state->gate_lag == lag) co_return done<void>();
    trouble t =
        state ? with.refused(condition::ok, "the gate is not as it was set") : state.error();
    t.effect = outcome::unknown;
    co_return t;
}

awaitable<done<position>> redis_server::set_gate(std::string process, unsigned count, unsigned lag,
                                                 milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const set = co_await gate(**s, count, lag);
    if (!set) co_return set.error();
    auto const state = co_await (*s)->state();
    if (!state) {
        auto t = state.error();
        t.effect = outcome::unknown;
        co_return t;
    }
    co_return state->offset;
}

awaitable<done<void>> redis_server::pause(session& with, milliseconds hold) {
    auto const ms = std::to_string(hold.count());
    for (;;) {
        auto const paused = co_await with.change(words("CLIENT", "PAUSE", ms, "WRITE"));
        if (paused) co_return done<void>();
        if (paused.error().why != condition::busy) co_return paused.error();
        // A script: killed if it has written nothing; UNKILLABLE otherwise, and it goes on.
        auto const script = co_await with.change(words("SCRIPT", "KILL"));
        auto const function = co_await with.change(words("FUNCTION", "KILL"));
        bool const killed = script.has_value() || function.has_value();
        if (!killed && script.error().effect == outcome::unknown) co_return script.error();
        if (!killed && script.error().detail.find("UNKILLABLE") != std::string::npos)
            co_return paused.error();
        co_await net::sleep_for(milliseconds(5));
    }
}

awaitable<done<void>> redis_server::point_at(session& with, address upstream) {
    if (options_.announce) {
        auto const port = std::to_string(options_.announce->port);
        auto const set =
            co_await with.change(words("CONFIG", "SET", "replica-announce-ip",
                                       options_.announce->host, "replica-announce-port", port));
        if (!set) co_return set.error();
    }
    auto const login = options_.login();
    if (options_.set_replica_login && !login.password.empty()) {
        std::string const password(login.password.reveal());
        auto const set = co_await with.change(
            words("CONFIG", "SET", "masteruser", login.user, "masterauth", password));
        if (!set) co_return set.error();
    }
    auto const port = std::to_string(upstream.port);
    auto const told = co_await with.change(words("REPLICAOF", upstream.host, port));
    if (!told) co_return told.error();
    auto const follows = co_await with.must_follow(upstream);
    co_return follows;
}

awaitable<done<void>> redis_server::demote(std::string process, std::optional<address> upstream,
                                           milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    // Longer than the call may last, so that no write slips in before the role has changed.
    auto const paused = co_await pause(**s, limit + seconds(1));
    if (!paused) co_return paused.error();
    auto const whom = upstream.value_or(options_.nowhere);
    auto const pointed = co_await point_at(**s, whom);
    if (!pointed) {
        auto t = pointed.error();
        t.effect = outcome::unknown;  // paused at least
        co_return t;
    }
    // Whoever stays connected would keep a connection that answers READONLY for ever.
    auto const normal =
        co_await (*s)->change(words("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));
    auto const pubsub = co_await (*s)->change(words("CLIENT", "KILL", "TYPE", "pubsub"));
    auto const unpaused = co_await (*s)->change(words("CLIENT", "UNPAUSE"));
    for (auto const* each : {&normal, &pubsub, &unpaused})
        if (!*each && each->error().effect == outcome::unknown) co_return each->error();
    auto const still = co_await (*s)->must_follow(whom);
    co_return still;
}

awaitable<done<void>> redis_server::promote(std::string process, instant not_after, unsigned count,
                                            unsigned lag, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const state = co_await (*s)->state();
    if (!state) co_return state.error();
    if (state->loading) co_return (*s)->refused(condition::loading, "promote: it loads its data");
    if (state->syncing)
        co_return (*s)->refused(condition::ok, "promote: it is receiving a full sync");
    auto const gated = co_await gate(**s, count, lag);
    if (!gated) co_return gated.error();
    if (net::now() >= not_after)
        co_return (*s)->refused(condition::ok, "promote: the time for it is over");
    auto const told = co_await (*s)->change(words("REPLICAOF", "NO", "ONE"));
    if (!told) co_return told.error();
    auto const primary = co_await (*s)->must_be_primary();
    if (!primary) co_return primary.error();
    // A pause that a drain left behind would hold the first writes up.
    auto const unpaused = co_await (*s)->change(words("CLIENT", "UNPAUSE"));
    if (!unpaused && unpaused.error().effect == outcome::unknown) co_return unpaused.error();
    co_return done<void>();
}

awaitable<done<void>> redis_server::end_stream(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const state = co_await (*s)->state();
    if (!state) co_return state.error();
    if (!state->replica) co_return (*s)->refused(condition::ok, "end the stream: it is a primary");
    auto const pointed = co_await point_at(**s, options_.nowhere);
    co_return pointed;
}

awaitable<done<void>> redis_server::follow(std::string process, address upstream,
                                           bevmesh::redis::settings upstream_login,
                                           milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const local = co_await (*s)->state();
    if (!local) co_return local.error();
    auto const keyspace = co_await (*s)->ask(words("INFO", "keyspace"));
    if (!keyspace) co_return keyspace.error();
    bool const empty = read_info(keyspace->text).empty();
    if (!local->replica && !empty)
        co_return (*s)->refused(condition::ok, "follow: it is a primary; demote it first");
    auto other = co_await session::open(executor_, std::move(upstream_login), std::string(),
                                        (*s)->deadline());
    if (!other) co_return other.error();
    auto const theirs = co_await (*other)->state();
    if (!theirs) co_return theirs.error();
    if (diverged(*local, *theirs, empty)) {
        auto t =
            (*s)->refused(condition::ok, "follow " + upstream.host + ": it holds writes that " +
                                             upstream.host + " lacks");
        t.diverged = true;
        co_return t;
    }
    auto const pointed = co_await point_at(**s, upstream);
    co_return pointed;
}

awaitable<done<void>> redis_server::resync(std::string process, address upstream,
                                           milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const pointed = co_await point_at(**s, upstream);
    co_return pointed;
}

awaitable<done<position>> redis_server::drain(std::string process, bevmesh::redis::settings target,
                                              milliseconds limit, milliseconds hold) {
    auto s = co_await talk_to(std::move(process), limit + seconds(1));
    if (!s) co_return s.error();
    auto const deadline = in(limit);
    auto const paused = co_await pause(**s, hold);
    if (!paused) co_return paused.error();
    auto const state = co_await (*s)->state();
    trouble why;
    if (state && state->replica) {
        why = (*s)->refused(condition::ok, "drain: it is no primary");
    } else if (state) {
        // Read after the pause: no write is beyond it.
        auto const there = co_await reached(std::move(target), state->offset, deadline);
        if (there) co_return state->offset;
        why = there.error();
    } else {
        why = state.error();
    }
    auto const resumed = co_await (*s)->change(words("CLIENT", "UNPAUSE"));
    why.effect = resumed ? outcome::refused : outcome::unknown;
    co_return why;
}

awaitable<done<position>> redis_server::reached(bevmesh::redis::settings target, position wanted,
                                                net::steady_point deadline) {
    auto other = co_await session::open(executor_, std::move(target), std::string(), deadline);
    if (!other) co_return other.error();
    for (;;) {
        auto const state = co_await (*other)->state();
        if (!state) co_return state.error();
        if (state->replica && state->offset >= wanted) co_return state->offset;
        if (std::chrono::steady_clock::now() + milliseconds(2) >= deadline)
            co_return (*other)->refused(condition::ok, "drain: it is at " +
                                                           std::to_string(state->offset) +
                                                           ", not at " + std::to_string(wanted));
        co_await net::sleep_for(milliseconds(1));
    }
}

awaitable<done<void>> redis_server::resume_writes(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const resumed = co_await (*s)->change(words("CLIENT", "UNPAUSE"));
    if (!resumed) co_return resumed.error();
    co_return done<void>();
}

awaitable<done<server_state>> redis_server::save(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    bool started = false;
    for (;;) {
        auto const state = co_await (*s)->state();
        if (!state) co_return state.error();
        if (started && !state->save_in_progress) {
            if (state->last_save_ok) co_return *state;
            co_return (*s)->refused(condition::write_fails, "BGSAVE: it failed; see its log");
        }
        // One that runs already may have begun before the last write.
        if (!started && !state->save_in_progress) {
            auto const begun = co_await (*s)->change(words("BGSAVE", "SCHEDULE"));
            if (!begun) co_return begun.error();
            started = true;
        }
        co_await net::sleep_for(milliseconds(20));
    }
}

}  // namespace

std::unique_ptr<server> make_server(boost::asio::any_io_executor executor, server_options options) {
    return std::make_unique<redis_server>(std::move(executor), std::move(options));
}

}  // namespace bevmesh::failover::redis
