#include "failover/postgres/standby.hpp"

#include <cstdlib>

namespace bevmesh::failover::postgres {
namespace {

awaitable<done<bool>> lacks_wal(session& local, position at, session& upstream) {
    std::string const archive = "select current_setting('restore_command')";
    auto const command = co_await local.ask(archive);
    if (!command) co_return command.error();
    if (!command->value().empty()) co_return false;
    std::string const sql =
        "select coalesce(min(right(name, 16)), '') || ' ' || "
        "(select setting from pg_settings where name = 'wal_segment_size') "
        "from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'";
    auto const kept = co_await upstream.ask(sql);
    if (!kept) co_return kept.error();
    auto const text = kept->value();
    auto const blank = text.find(' ');
    auto const segment = blank == std::string::npos
                             ? position(0)
                             : std::strtoull(text.c_str() + blank + 1, nullptr, 10);
    auto const oldest = begin_of_segment(std::string_view(text).substr(0, blank), segment);
    if (!oldest) co_return false;
    // Streaming starts at the beginning of a segment.
    auto const first = at - at % segment;
    co_return first < *oldest;
}

/// One that was killed answers as soon as it is consistent, and goes on with what it has of its
/// own: until that is used up, nobody knows where it ends.
awaitable<done<void>> own_wal_is_used_up(session& standby) {
    std::string const sql =
        "select count(*) from pg_stat_activity where backend_type = 'startup' and "
        "wait_event in ('RecoveryRetrieveRetryInterval', 'RecoveryWalStream')";
    std::string const waits = "1";
    return standby.until_says(sql, waits, milliseconds(10));
}

awaitable<done<void>> compare(session& local, session& other, std::string upstream) {
    auto const mine = co_await local.state();
    if (!mine) co_return mine.error();
    if (!mine->recovery) co_return local.refused(condition::ok, "follow: it is a primary");
    auto const theirs = co_await other.state();
    if (!theirs) co_return theirs.error();
    if (mine->system != theirs->system)
        co_return local.refused(condition::foreign_data, "follow: its system identifier is " +
                                                             mine->system + ", and " + upstream +
                                                             "'s is " + theirs->system);
    if (diverged(*mine, *theirs)) {
        auto t = local.refused(condition::ok, "follow: it holds WAL up to " + to_lsn(mine->at) +
                                                  " of timeline " + std::to_string(mine->timeline) +
                                                  " that " + upstream + " lacks");
        t.diverged = true;
        co_return t;
    }
    auto const lacks = co_await lacks_wal(local, mine->at, other);
    if (!lacks) co_return lacks.error();
    if (!*lacks) co_return done<void>();
    auto t = local.refused(condition::ok, "follow: it needs WAL from " + to_lsn(mine->at) +
                                              " on, which " + upstream + " has removed");
    t.behind = true;
    co_return t;
}

}  // namespace

awaitable<done<void>> may_follow(session& local, session& other, std::string upstream) {
    auto const first = co_await compare(local, other, upstream);
    if (first || !first.error().behind) co_return first;
    auto const used_up = co_await own_wal_is_used_up(local);
    if (used_up) co_return co_await compare(local, other, std::move(upstream));
    auto t = used_up.error();
    t.effect = outcome::refused;
    t.detail = "follow: it goes on with its own WAL first: " + t.detail;
    co_return t;
}

awaitable<done<void>> slot_on(session& with, std::string name) {
    std::string const look =
        "select coalesce(wal_status, 'reserved') from pg_replication_slots where slot_name = $1";
    auto const there = co_await with.ask(look, one(name));
    if (!there) co_return there.error();
    if (there->value() == "lost") {
        std::string const drop = "select pg_drop_replication_slot($1)";
        auto const dropped = co_await with.change(drop, one(name));
        if (!dropped) co_return dropped.error();
    } else if (!there->rows.empty()) {
        co_return done<void>();
    }
    std::string const create = "select pg_create_physical_replication_slot($1, true)";
    auto const made = co_await with.change(create, one(name));
    if (made) co_return done<void>();
    // The primary itself and its standby may both be at it.
    auto const now = co_await with.ask(look, one(name));
    if (now && !now->rows.empty() && now->value() != "lost") co_return done<void>();
    co_return made.error();
}

}  // namespace bevmesh::failover::postgres
