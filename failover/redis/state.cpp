#include "failover/redis/state.hpp"

#include <charconv>

namespace bevmesh::failover::redis {
namespace {

using fields = std::map<std::string, std::string, std::less<>>;

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string text_of(fields const& all, std::string_view key) {
    auto const at = all.find(key);
    return at == all.end() ? std::string() : at->second;
}

template <class Number>
Number number_of(fields const& all, std::string_view key, Number otherwise = {}) {
    return number<Number>(text_of(all, key)).value_or(otherwise);
}

/// "ip=10.0.0.2,port=6379,state=online,offset=42,lag=0".
listed_replica read_replica(std::string_view line) {
    listed_replica r;
    while (!line.empty()) {
        auto const part = line.substr(0, line.find(','));
        line.remove_prefix(std::min(line.size(), part.size() + 1));
        auto const equals = part.find('=');
        if (equals == std::string_view::npos) continue;
        auto const key = part.substr(0, equals);
        auto const value = part.substr(equals + 1);
        if (key == "ip") r.host = value;
        if (key == "port") r.port = number<std::uint16_t>(value).value_or(0);
        if (key == "state") r.online = value == "online";
        if (key == "offset") r.offset = number<position>(value).value_or(0);
        if (key == "lag") r.lag = number<unsigned>(value).value_or(0);
    }
    return r;
}

/// Redis' second offset is the first byte that is of the new history only.
position last_common(server_state const& s) {
    return s.second_offset == 0 ? 0 : s.second_offset - 1;
}

/// Redis writes 40 zeros where there is no second history.
bool is_replid(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of('0') != std::string_view::npos;
}

void read_replication(fields const& all, server_state& s) {
    s.replid = text_of(all, "master_replid");
    auto const second = text_of(all, "master_replid2");
    if (is_replid(second)) {
        s.replid2 = second;
        s.second_offset = number_of<position>(all, "second_repl_offset");
    }
    s.replica = text_of(all, "role") == "slave";
    s.offset = number_of<position>(all, "master_repl_offset");
    if (s.replica) {
        // While a replica has no link, its own count is the one that says what it holds.
        s.offset = number_of<position>(all, "slave_repl_offset", s.offset);
        s.upstream_host = text_of(all, "master_host");
        s.upstream_port = number_of<std::uint16_t>(all, "master_port");
        s.link_up = text_of(all, "master_link_status") == "up";
        s.syncing = text_of(all, "master_sync_in_progress") == "1";
        s.link_silent = number<unsigned>(text_of(all, "master_last_io_seconds_ago"));
    }
    auto const count = number_of<unsigned>(all, "connected_slaves");
    for (unsigned i = 0; i < count; ++i)
        s.replicas.push_back(read_replica(text_of(all, "slave" + std::to_string(i))));
}

}  // namespace

fields read_info(std::string_view info) {
    fields all;
    while (!info.empty()) {
        auto line = info.substr(0, info.find('\n'));
        info.remove_prefix(std::min(info.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        auto const colon = line.find(':');
        if (colon == std::string_view::npos || line.starts_with('#')) continue;
        all.insert_or_assign(std::string(line.substr(0, colon)),
                             std::string(line.substr(colon + 1)));
    }
    return all;
}

result<server_state> read_state(std::string_view info,
                                std::map<std::string, std::string> const& configuration) {
    auto const all = read_info(info);
    server_state s;
    s.version = text_of(all, "redis_version");
    s.run_id = text_of(all, "run_id");
    if (s.run_id.size() != 40 || text_of(all, "role").empty())
        return failure{errc::bad_answer, "INFO: neither run_id nor role in it"};
    s.process_id = number_of<std::int64_t>(all, "process_id");
    s.config_file = text_of(all, "config_file");
    read_replication(all, s);
    s.loading = text_of(all, "loading") == "1" || text_of(all, "async_loading") == "1";
    s.aof = text_of(all, "aof_enabled") == "1";
    s.save_in_progress = text_of(all, "rdb_bgsave_in_progress") == "1";
    s.last_save_ok = text_of(all, "rdb_last_bgsave_status") != "err";
    s.last_save = number_of<std::int64_t>(all, "rdb_last_save_time");
    fields const c(configuration.begin(), configuration.end());
    s.gate_count = number_of<unsigned>(c, "min-replicas-to-write");
    s.gate_lag = number_of<unsigned>(c, "min-replicas-max-lag");
    s.directory = text_of(c, "dir");
    s.rdb_name = text_of(c, "dbfilename");
    s.aof_directory = text_of(c, "appenddirname");
    return s;
}

condition classify(std::string_view code) noexcept {
    if (code == "LOADING") return condition::loading;
    if (code == "BUSY") return condition::busy;
    if (code == "NOAUTH" || code == "WRONGPASS" || code == "NOPERM")
        return condition::bad_credentials;
    // A replica whose link is down and that may serve no stale data: it answers, and is well.
    if (code == "MASTERDOWN") return condition::ok;
    for (std::string_view const one : {"MISCONF", "READONLY", "NOREPLICAS", "OOM"})
        if (code == one) return condition::write_fails;
    return condition::ok;
}

std::string node_at(addresses const& nodes, std::string_view host, std::uint16_t port) {
    for (auto const& [node, where] : nodes)
        if (where.host == host && where.port == port) return node;
    return {};
}

history history_of(server_state const& state) {
    history h;
    h.id = state.replid;
    if (!state.replid2.empty()) h.ancestors.push_back({state.replid2, last_common(state)});
    return h;
}

database_facts to_facts(server_state const& state, addresses const& others, bool boot_fenced) {
    database_facts f;
    f.process = state.run_id;
    f.history = history_of(state);
    f.role = state.replica ? role::replica : role::primary;
    f.condition = condition::ok;
    if (state.misconfigured) f.condition = condition::write_fails;
    if (state.loading) f.condition = condition::loading;
    f.at = state.offset;
    f.boot_fenced = boot_fenced;
    if (state.replica) {
        f.upstream = node_at(others, state.upstream_host, state.upstream_port);
        f.streaming = state.link_up && !state.syncing;
        return f;
    }
    for (auto const& one : state.replicas) {
        auto const node = node_at(others, one.host, one.port);
        if (node.empty()) continue;
        f.replicas.push_back({node, one.offset, one.online && one.lag <= 1});
    }
    return f;
}

bool diverged(server_state const& local, server_state const& upstream, bool local_is_empty) {
    if (local_is_empty) return false;
    if (local.replid == upstream.replid) return local.offset > upstream.offset;
    if (local.replid == upstream.replid2) return local.offset > last_common(upstream);
    return true;
}

}  // namespace bevmesh::failover::redis
