#include "failover/postgres/state.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

namespace bevmesh::failover::postgres {
namespace {

constexpr std::string_view slot_prefix = "bevmesh_";

using nlohmann::json;

std::string text(json const& from, char const* key) {
    auto const at = from.find(key);
    return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number(json const& from, char const* key) {
    auto const at = from.find(key);
    return at != from.end() && at->is_number() && at->get<double>() >= 0 ? at->get<std::uint64_t>()
                                                                         : 0;
}

bool flag(json const& from, char const* key) {
    auto const at = from.find(key);
    return at != from.end() && at->is_boolean() && at->get<bool>();
}

position lsn(json const& from, char const* key) {
    return read_lsn(text(from, key)).value_or(0);
}

/// "PostgreSQL 15.6 (Debian …) on x86_64-pc-linux-gnu, compiled by …".
std::string architecture_of(std::string const& version) {
    auto const on = version.find(" on ");
    if (on == std::string::npos) return {};
    auto const begin = on + 4;
    return version.substr(begin, version.find(',', begin) - begin);
}

}  // namespace

std::string const& state_query() {
    // received_tli and min_recovery_end_timeline: a standby's control file lags behind what it
    // replays. A received position falls back to a segment's start when streaming starts again.
    static std::string const sql = R"(
select json_build_object(
 'process', ((extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint)::text,
 'system', (select system_identifier::text from pg_control_system()),
 'version', current_setting('server_version_num')::int,
 'built', version(),
 'collation', (select datcollversion from pg_database where datname = current_database()),
 'collation_actual', (select pg_database_collation_actual_version(oid) from pg_database
                      where datname = current_database()),
 'recovery', pg_is_in_recovery(),
 'timeline', case when pg_is_in_recovery()
   then greatest((select min_recovery_end_timeline from pg_control_recovery()),
                 (select timeline_id from pg_control_checkpoint()),
                 (select received_tli from pg_stat_wal_receiver))
   else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end,
 'at', (case when pg_is_in_recovery()
   then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
   else pg_current_wal_flush_lsn() end)::text,
 'replayed', (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end)::text,
 'replay_paused', case when pg_is_in_recovery() then pg_is_wal_replay_paused() end,
 'standby_signal', (select size is not null from pg_stat_file('standby.signal', true)),
 'restart_after_crash', current_setting('restart_after_crash')::bool,
 'receiver', (select json_build_object('status', status, 'host', sender_host,
   'port', sender_port) from pg_stat_wal_receiver),
 'primary_conninfo', current_setting('primary_conninfo'),
 'slot', current_setting('primary_slot_name'),
 'synchronous_names', current_setting('synchronous_standby_names'),
 'synchronous_commit', current_setting('synchronous_commit'),
 'data_directory', current_setting('data_directory'),
 'can_rewind', current_setting('wal_log_hints')::bool or current_setting('data_checksums')::bool,
 'standbys', (select json_agg(json_build_object('name', application_name, 'state', state,
   'flushed', flush_lsn::text, 'counts', sync_state in ('sync', 'quorum')))
   from pg_stat_replication),
 'slots', (select json_object_agg(slot_name, coalesce(wal_status, 'reserved'))
   from pg_replication_slots where slot_type = 'physical')))";
    return sql;
}

result<server_state> read_state(std::string_view answer) {
    auto const all = json::parse(answer, nullptr, false);
    server_state s;
    if (all.is_object()) {
        s.process = text(all, "process");
        s.system = text(all, "system");
    }
    if (s.process.empty() || s.system.empty())
        return failure{errc::bad_answer, "the server's state: neither start nor system identifier"};
    s.version = static_cast<unsigned>(number(all, "version"));
    s.architecture = architecture_of(text(all, "built"));
    s.collation = text(all, "collation");
    s.collation_actual = text(all, "collation_actual");
    s.recovery = flag(all, "recovery");
    s.timeline = static_cast<std::uint32_t>(number(all, "timeline"));
    s.at = lsn(all, "at");
    s.replayed = lsn(all, "replayed");
    s.replay_paused = flag(all, "replay_paused");
    s.standby_signal = flag(all, "standby_signal");
    s.restart_after_crash = flag(all, "restart_after_crash");
    if (auto const r = all.find("receiver"); r != all.end() && r->is_object()) {
        s.streaming = text(*r, "status") == "streaming";
        s.upstream_host = text(*r, "host");
        s.upstream_port = static_cast<std::uint16_t>(number(*r, "port"));
    }
    s.primary_conninfo = text(all, "primary_conninfo");
    s.slot = text(all, "slot");
    s.synchronous_names = text(all, "synchronous_names");
    s.synchronous_commit = text(all, "synchronous_commit");
    s.data_directory = text(all, "data_directory");
    s.can_rewind = flag(all, "can_rewind");
    if (auto const list = all.find("standbys"); list != all.end() && list->is_array())
        for (auto const& one : *list)
            s.standbys.push_back(
                {text(one, "name"), text(one, "state"), lsn(one, "flushed"), flag(one, "counts")});
    if (auto const slots = all.find("slots"); slots != all.end() && slots->is_object())
        for (auto const& [name, status] : slots->items())
            s.slots[name] = status.is_string() ? status.get<std::string>() : std::string();
    return s;
}

std::optional<position> read_lsn(std::string_view text) {
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    auto const* const end = text.data() + text.size();
    auto const first = std::from_chars(text.data(), text.data() + slash, high, 16);
    auto const second = std::from_chars(text.data() + slash + 1, end, low, 16);
    bool const whole = first.ec == std::errc() && first.ptr == text.data() + slash &&
                       second.ec == std::errc() && second.ptr == end;
    if (!whole) return std::nullopt;
    return (position(high) << 32U) | low;
}

std::string to_lsn(position at) {
    std::ostringstream out;
    out << std::hex << std::uppercase << (at >> 32U) << '/' << (at & 0xffff'ffffU);
    return out.str();
}

history history_of(server_state const& state) {
    history h;
    auto const name = [&](std::string const& timeline) { return state.system + "/" + timeline; };
    h.id = name(std::to_string(state.timeline));
    // A line: timeline, LSN where the next one branched off, why; blank-separated, # is a comment.
    std::istringstream lines(state.timeline_history);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string timeline;
        std::string end;
        if (!(words >> timeline >> end) || timeline.starts_with('#')) continue;
        if (auto const at = read_lsn(end)) h.ancestors.push_back({name(timeline), *at});
    }
    return h;
}

database_facts to_facts(server_state const& state, addresses const& others) {
    database_facts f;
    f.process = state.process;
    f.history = history_of(state);
    f.role = state.recovery ? role::replica : role::primary;
    f.condition = condition::ok;
    f.at = state.at;
    // A primary's promotion removed the file: what starts next is made a standby by who starts it.
    f.boot_fenced = !state.restart_after_crash && (state.standby_signal || !state.recovery);
    if (state.recovery) {
        f.streaming = state.streaming;
        for (auto const& [node, where] : others)
            if (where.host == state.upstream_host && where.port == state.upstream_port)
                f.upstream = node;
        return f;
    }
    for (auto const& one : state.standbys)
        if (others.contains(one.name))
            f.replicas.push_back({one.name, one.flushed, one.state == "streaming"});
    return f;
}

std::string synchronous_names(gate_setting const& gate) {
    if (gate.nodes.empty() || gate.count == 0) return {};
    std::string names;
    for (auto const& node : gate.nodes) {
        std::string quoted;
        for (char const c : node)
            quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        names += (names.empty() ? "\"" : ", \"") + quoted + "\"";
    }
    return "ANY " + std::to_string(gate.count) + " (" + names + ")";
}

bool diverged(server_state const& local, server_state const& upstream) {
    auto const mine = history_of(local);
    auto const theirs = history_of(upstream);
    if (mine.id == theirs.id) return local.at > upstream.at;
    return !theirs.contains(mine.id, local.at);
}

std::string slot_of(std::string_view node) {
    std::string name(slot_prefix);
    for (char const c : node) {
        bool const letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        bool const capital = c >= 'A' && c <= 'Z';
        name += letter ? c : capital ? static_cast<char>(c - 'A' + 'a') : '_';
    }
    return name.substr(0, 63);
}

slot_changes changes_of_slots(server_state const& state, addresses const& others) {
    slot_changes changes;
    std::set<std::string> wanted;
    for (auto const& [node, at] : others)
        if (!state.recovery) wanted.insert(slot_of(node));
    for (auto const& name : wanted) {
        auto const there = state.slots.find(name);
        if (there == state.slots.end() || there->second == "lost") changes.make.push_back(name);
    }
    // On a primary it may be that of a member which this node's configuration does not name yet.
    for (auto const& [name, status] : state.slots)
        if (state.recovery && name.starts_with(slot_prefix)) changes.drop.push_back(name);
    return changes;
}

std::optional<position> begin_of_segment(std::string_view number, position segment) {
    position high = 0;
    position low = 0;
    if (number.size() != 16 || segment == 0) return std::nullopt;
    auto const* const middle = number.data() + 8;
    auto const first = std::from_chars(number.data(), middle, high, 16);
    auto const second = std::from_chars(middle, middle + 8, low, 16);
    if (first.ptr != middle || second.ptr != middle + 8) return std::nullopt;
    return (high << 32U) + low * segment;
}

std::vector<std::string> warnings(server_state const& one, server_state const& other) {
    std::vector<std::string> found;
    if (one.version / 10000 != other.version / 10000)
        found.push_back("major versions differ: " + std::to_string(one.version / 10000) + " and " +
                        std::to_string(other.version / 10000) + " do not replicate");
    auto const machine = [](std::string const& a) { return a.substr(0, a.find('-')); };
    if (machine(one.architecture) != machine(other.architecture))
        found.push_back("architectures differ: " + one.architecture + " and " + other.architecture +
                        "; a data directory is not portable");
    if (one.collation_actual != other.collation_actual)
        found.push_back("collation versions differ: " + one.collation_actual + " and " +
                        other.collation_actual + "; text indexes may be wrong after a failover");
    for (auto const* each : {&one, &other})
        if (!each->collation.empty() && each->collation != each->collation_actual)
            found.push_back("the database was made with collation version " + each->collation +
                            " and the system has " + each->collation_actual + ": reindex");
    return found;
}

}  // namespace bevmesh::failover::postgres
