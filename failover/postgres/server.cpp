#include "failover/postgres/server.hpp"

#include "failover/database/standing.hpp"
#include "failover/postgres/session.hpp"
#include "failover/postgres/standby.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::failover::postgres {
namespace {

constexpr milliseconds promotion_pace{5};
constexpr milliseconds stream_pace{2};

net::steady_point in(milliseconds limit) {
    return std::chrono::steady_clock::now() + limit;
}

class postgres_server final : public server {
public:
    postgres_server(boost::asio::any_io_executor executor, server_options options)
        : executor_(std::move(executor)), options_(std::move(options)) {}

    awaitable<done<server_state>> probe(milliseconds limit) override;
    awaitable<done<void>> prove(std::string process, milliseconds limit) override;
    awaitable<done<position>> set_gate(std::string process, gate_setting gate,
                                       milliseconds limit) override;
    awaitable<done<void>> promote(std::string process, instant not_after, gate_setting gate,
                                  milliseconds limit) override;
    awaitable<done<void>> checkpoint(std::string process, milliseconds limit) override;
    awaitable<done<void>> end_stream(std::string process, milliseconds limit) override;
    awaitable<done<void>> follow(std::string process, address upstream,
                                 bevmesh::postgres::settings upstream_login,
                                 milliseconds limit) override;
    awaitable<done<position>> reach(position wanted, milliseconds limit) override;
    awaitable<done<void>> make_slot(std::string name, milliseconds limit) override;
    awaitable<done<void>> set_slots(std::string process, slot_changes changes,
                                    milliseconds limit) override;

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
    awaitable<done<void>> checkpointer_rests(session& with);
    awaitable<void> cancel(int backend);

    boost::asio::any_io_executor executor_;
    server_options options_;
    std::shared_ptr<sessions> standing_ = std::make_shared<sessions>();
};

awaitable<done<server_state>> postgres_server::probe(milliseconds limit) {
    auto const deadline = in(limit);
    auto stood = standing_->lend(std::chrono::steady_clock::now(), deadline);
    if (stood) {
        auto state = co_await stood->state();
        if (state || std::chrono::steady_clock::now() >= deadline) co_return std::move(state);
    }
    auto const s = co_await standing_->lend_for(std::string(), deadline, opener());
    if (!s) co_return s.error();
    auto state = co_await (*s)->state();
    co_return std::move(state);
}

awaitable<done<void>> postgres_server::prove(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    std::string const write =
        "select set_config('synchronous_commit', 'local', true), "
        "pg_logical_emit_message(true, 'bevmesh', 'probe')";
    auto const wrote = co_await (*s)->change(write);
    if (wrote && wrote->warning.empty()) co_return done<void>();
    trouble t = wrote ? (*s)->refused(condition::write_fails, wrote->warning) : wrote.error();
    if (t.why == condition::hung) {
        // It has answered on this connection before.
        t.why = condition::write_fails;
        t.detail += "; the commit waits for the disk";
        co_await cancel((*s)->backend());
    }
    co_return t;
}

/// A backend that waits does not notice that its client is gone.
awaitable<void> postgres_server::cancel(int backend) {
    auto s = co_await talk_to(std::string(), milliseconds(500));
    if (!s) co_return;
    std::string const sql = "select pg_cancel_backend($1::int)";
    co_await (*s)->change(sql, one(std::to_string(backend)));
}

/// Commits wait by a flag in shared memory which the checkpointer sets when it takes the reload in.
/// It was signalled before our own backend; seen twice at rest, or in a wait that takes reloads in,
/// it has.
awaitable<done<void>> postgres_server::checkpointer_rests(session& with) {
    std::string const sql =
        "select wait_event in ('CheckpointerMain', 'CheckpointWriteDelay') from pg_stat_activity "
        "where backend_type = 'checkpointer'";
    int seen = 0;
    while (seen < 2) {
        auto const rests = co_await with.ask(sql);
        if (!rests) co_return rests.error();
        seen = rests->value() == "t" ? seen + 1 : 0;
        co_await net::sleep_for(milliseconds(5));
    }
    co_return done<void>();
}

awaitable<done<position>> postgres_server::set_gate(std::string process, gate_setting gate,
                                                    milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const names = synchronous_names(gate);
    std::string const setting = "synchronous_standby_names";
    auto const set = co_await (*s)->set(setting, names);
    if (!set) co_return set.error();
    auto rests = co_await checkpointer_rests(**s);
    std::string const where =
        "select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else "
        "pg_current_wal_insert_lsn() end)::text";
    auto const at = co_await (*s)->ask(where);
    trouble t;
    if (rests && at) {
        if (auto const read = read_lsn(at->value())) co_return *read;
        t = (*s)->refused(condition::ok, "no position: " + at->value());
    } else {
        t = rests ? at.error() : rests.error();
    }
    t.effect = outcome::unknown;
    co_return t;
}

awaitable<done<void>> postgres_server::promote(std::string process, instant not_after,
                                               gate_setting gate, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const state = co_await (*s)->state();
    if (!state) co_return state.error();
    if (state->replay_paused)
        co_return (*s)->refused(condition::ok, "promote: its replay is paused");
    // A promote that comes late leaves the gate to whom it belongs by now.
    if (!state->recovery) co_return done<void>();
    auto const names = synchronous_names(gate);
    std::string const setting = "synchronous_standby_names";
    if (state->synchronous_names != names) {
        auto const set = co_await (*s)->set(setting, names);
        if (!set) co_return set.error();
    }
    if (net::now() >= not_after)
        co_return (*s)->refused(condition::ok, "promote: the time for it is over");
    std::string const sql = "select pg_promote(false)";
    auto const told = co_await (*s)->change(sql);
    if (!told) co_return told.error();
    // One that waits for it looks each 100 ms.
    std::string const look = "select pg_is_in_recovery()";
    std::string const ended = "f";
    auto const over = co_await (*s)->until_says(look, ended, promotion_pace);
    if (over) co_return over;
    auto t = over.error();
    t.detail = "promote: " + t.detail;
    co_return t;
}

awaitable<done<void>> postgres_server::checkpoint(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    std::string const sql = "checkpoint";
    auto const made = co_await (*s)->change(sql);
    if (!made) co_return made.error();
    co_return done<void>();
}

awaitable<done<void>> postgres_server::end_stream(std::string process, milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto const before = co_await (*s)->state();
    if (!before) co_return before.error();
    if (!before->recovery)
        co_return (*s)->refused(condition::ok, "end the stream: it is a primary");
    std::string const setting = "primary_conninfo";
    auto const set = co_await (*s)->set(setting, std::string());
    if (!set) co_return set.error();
    std::string const sql = "select count(*) from pg_stat_wal_receiver";
    std::string const none = "0";
    co_return co_await (*s)->until_says(sql, none, stream_pace);
}

awaitable<done<void>> postgres_server::make_slot(std::string name, milliseconds limit) {
    auto s = co_await talk_to(std::string(), limit);
    if (!s) co_return s.error();
    auto const made = co_await slot_on(**s, std::move(name));
    co_return made;
}

awaitable<done<void>> postgres_server::set_slots(std::string process, slot_changes changes,
                                                 milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    for (auto const& name : changes.make) {
        auto const made = co_await slot_on(**s, name);
        if (!made) co_return made.error();
    }
    std::string const sql =
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
        "where slot_name = $1 and not active and pg_is_in_recovery()";
    for (auto const& name : changes.drop) {
        auto const dropped = co_await (*s)->change(sql, one(name));
        if (!dropped) co_return dropped.error();
    }
    co_return done<void>();
}

awaitable<done<void>> postgres_server::follow(std::string process, address upstream,
                                              bevmesh::postgres::settings upstream_login,
                                              milliseconds limit) {
    auto s = co_await talk_to(std::move(process), limit);
    if (!s) co_return s.error();
    auto other = co_await session::open(executor_, std::move(upstream_login), std::string(),
                                        (*s)->deadline());
    if (!other) co_return other.error();
    auto const may = co_await may_follow(**s, **other, upstream.host);
    if (!may) co_return may.error();
    auto const slot = slot_of(options_.node);
    auto const made = co_await slot_on(**other, slot);
    if (!made) co_return made.error();
    auto const login = connection_string(options_.replication, upstream, options_.node);
    std::string const slot_setting = "primary_slot_name";
    auto const named = co_await (*s)->set(slot_setting, slot);
    if (!named) co_return named.error();
    std::string const upstream_setting = "primary_conninfo";
    std::string const conninfo(login.reveal());
    auto const pointed = co_await (*s)->set(upstream_setting, conninfo);
    if (!pointed) co_return pointed.error();
    for (;;) {
        auto const now = co_await (*s)->state();
        bool const there = now && now->streaming && now->upstream_host == upstream.host &&
                           now->upstream_port == upstream.port;
        if (there) co_return done<void>();
        if (!now) {
            auto t = now.error();
            t.effect = outcome::unknown;
            t.detail += "; it was told to follow " + upstream.host + " and does not stream yet";
            co_return t;
        }
        co_await net::sleep_for(milliseconds(10));
    }
}

awaitable<done<position>> postgres_server::reach(position wanted, milliseconds limit) {
    auto s = co_await talk_to(std::string(), limit);
    if (!s) co_return s.error();
    for (;;) {
        auto const now = co_await (*s)->state();
        if (!now) co_return now.error();
        if (now->recovery && now->at > wanted) co_return now->at;
        if (std::chrono::steady_clock::now() + milliseconds(10) >= (*s)->deadline())
            co_return (*s)->refused(condition::ok,
                                    "it is at " + to_lsn(now->at) + ", not past " + to_lsn(wanted));
        co_await net::sleep_for(milliseconds(3));
    }
}

}  // namespace

std::unique_ptr<server> make_server(boost::asio::any_io_executor executor, server_options options) {
    return std::make_unique<postgres_server>(std::move(executor), std::move(options));
}

secret connection_string(replication_login const& login, address const& upstream,
                         std::string_view node) {
    using bevmesh::postgres::quote_parameter;
    std::string made =
        "host=" + quote_parameter(upstream.host) + " port=" + std::to_string(upstream.port) +
        " user=" + quote_parameter(login.user) + " application_name=" + quote_parameter(node);
    if (!login.pass_file.empty())
        made += " passfile=" + quote_parameter(login.pass_file);
    else if (!login.password.empty())
        made += " password=" + quote_parameter(login.password.reveal());
    auto const add = [&made](char const* name, std::string const& value) {
        if (!value.empty()) made += name + quote_parameter(value);
    };
    add(" sslmode=", login.ssl_mode);
    add(" sslrootcert=", login.ssl_root_cert);
    add(" sslcert=", login.ssl_cert);
    add(" sslkey=", login.ssl_key);
    return secret(std::move(made));
}

}  // namespace bevmesh::failover::postgres
