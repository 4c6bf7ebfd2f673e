#include "failover/postgres/session.hpp"

namespace bevmesh::failover::postgres {
namespace {

/// By SQLSTATE, PostgreSQL's appendix A.
condition classify(std::string_view sqlstate) {
    if (sqlstate == "57P03") return condition::recovering;
    if (sqlstate.starts_with("28")) return condition::bad_credentials;
    // Read-only, disk full, out of memory, I/O.
    if (sqlstate == "25006" || sqlstate.starts_with("53") || sqlstate.starts_with("58"))
        return condition::write_fails;
    return condition::ok;
}

std::string quoted_literal(std::string_view value) {
    std::string made = "'";
    for (char const c : value) {
        if (c == '\'') made += '\'';
        made += c;
    }
    return made + "'";
}

}  // namespace

awaitable<done<std::unique_ptr<session>>> session::open(boost::asio::any_io_executor executor,
                                                        bevmesh::postgres::settings login,
                                                        std::string process,
                                                        net::steady_point deadline) {
    auto made = bevmesh::postgres::make_connection(executor, std::move(login));
    auto const opened = co_await made->open(deadline);
    if (!opened) {
        auto t = database::before_sending(opened.error());
        if (opened.error().code == errc::remote_error) t.why = condition::recovering;
        co_return t;
    }
    auto s = std::make_unique<session>(std::move(made), deadline);
    if (process.empty()) co_return std::move(s);
    auto const meant = co_await s->must_be(std::move(process));
    if (!meant) co_return meant.error();
    co_return std::move(s);
}

awaitable<done<void>> session::must_be(std::string process) {
    std::string const sql =
        "select ((extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint)::text";
    auto const started = co_await ask(sql);
    if (!started) co_return started.error();
    if (started->value() == process) co_return done<void>();
    co_return refused(condition::ok, "another process than the one that was meant answers");
}

awaitable<done<answer>> session::exchange(std::string statement,
                                          std::vector<std::string> parameters, bool changes) {
    asked_ = true;
    auto got = co_await connection_->query(std::move(statement), std::move(parameters), deadline_);
    asked_ = !got;
    if (!got) {
        auto t =
            changes ? database::after_sending(got.error()) : database::before_sending(got.error());
        co_return t;
    }
    if (!got->failed()) co_return std::move(*got);
    auto t = refused(classify(got->sqlstate), got->error + " (" + got->sqlstate + ")");
    // The server was stopped or crashed under the statement: its end is not told.
    if (changes && got->sqlstate.starts_with("57P0")) t.effect = outcome::unknown;
    co_return t;
}

awaitable<done<answer>> session::ask(std::string statement, std::vector<std::string> parameters) {
    return exchange(std::move(statement), std::move(parameters), false);
}

awaitable<done<answer>> session::change(std::string statement,
                                        std::vector<std::string> parameters) {
    return exchange(std::move(statement), std::move(parameters), true);
}

awaitable<done<server_state>> session::state() {
    auto const row = co_await ask(state_query());
    if (!row) co_return row.error();
    auto state = read_state(row->value());
    if (!state) co_return refused(condition::ok, state.error().doing);
    if (state->timeline < 2) co_return std::move(*state);
    std::string const sql =
        "select pg_read_file('pg_wal/' || lpad(upper(to_hex($1::int)), 8, '0') || '.history', 0, "
        "1000000, true)";
    std::vector<std::string> timeline(1, std::to_string(state->timeline));
    auto const history = co_await ask(sql, std::move(timeline));
    if (!history) co_return history.error();
    state->timeline_history = history->value();
    co_return std::move(*state);
}

awaitable<done<void>> session::set(std::string name, std::string value) {
    auto alter = "alter system set " + name + " = " + quoted_literal(value);
    auto const altered = co_await change(std::move(alter));
    if (!altered) co_return altered.error();
    std::string const reload = "select pg_reload_conf()";
    auto const told = co_await change(reload);
    if (!told) co_return told.error();
    std::string const look = "select current_setting($1)";
    for (;;) {
        std::vector<std::string> which(1, name);
        auto const seen = co_await ask(look, std::move(which));
        if (seen && seen->value() == value) co_return done<void>();
        if (seen && std::chrono::steady_clock::now() < deadline_) {
            co_await net::sleep_for(milliseconds(2));
            continue;
        }
        auto t = seen ? refused(condition::ok, name + " is not as it was set") : seen.error();
        t.effect = outcome::unknown;
        co_return t;
    }
}

awaitable<done<void>> session::until_says(std::string sql, std::string value, milliseconds pace) {
    for (;;) {
        auto const seen = co_await ask(sql);
        if (!seen) {
            auto t = seen.error();
            t.effect = outcome::unknown;
            co_return t;
        }
        if (seen->value() == value) co_return done<void>();
        co_await net::sleep_for(pace);
    }
}

trouble session::refused(condition why, std::string const& what) const {
    return {outcome::refused, why, "PostgreSQL at " + connection_->name() + ": " + what, false};
}

}  // namespace bevmesh::failover::postgres
