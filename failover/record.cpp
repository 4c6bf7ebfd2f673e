#include "failover/record.hpp"

#include <algorithm>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::failover {

namespace {

lease_state state_named(std::string const& text) {
    for (auto const s : {lease_state::held, lease_state::released, lease_state::expired}) {
        if (name(s) == text) return s;
    }
    json::wrong("state", "held, released or expired");
}

in_sync_entry read_entry(json::value const& v) {
    if (!v.is_object()) json::wrong("in_sync", "a list of objects");
    return {json::text(v, "node"), json::text(v, "process"), json::text(v, "history"),
            json::number<position>(v, "recorded_at")};
}

lease_record read(json::value const& v) {
    if (!v.is_object()) throw std::runtime_error("not an object");
    lease_record r;
    r.epoch = json::number<std::uint64_t>(v, "epoch");
    r.holder = json::text(v, "holder");
    r.guard_id = json::text(v, "guard_id");
    r.write_id = json::text(v, "write_id");
    r.members = json::text_list(v, "members");
    auto const& entries = json::member(v, "in_sync");
    if (!entries.is_null() && !entries.is_array()) json::wrong("in_sync", "a list");
    for (auto const& entry : entries)
        r.in_sync.push_back(read_entry(entry));
    r.state = state_named(json::text(v, "state"));
    r.target = json::text(v, "target");
    r.released_at = json::number<position>(v, "position");
    r.term = milliseconds(json::number<std::int64_t>(v, "term"));
    r.reason = json::text(v, "reason");
    r.published = json::flag(v, "published");
    r.database_died = json::flag(v, "database_died");
    r.configuration = json::text(v, "configuration");
    r.automatic = json::number<std::uint64_t>(v, "automatic");
    r.acked = json::number<std::uint64_t>(v, "acked");
    r.order_done = json::text(v, "order_done");
    if (r.write_id.empty()) json::wrong("write_id", "a text");
    if (r.holder.empty()) json::wrong("holder", "a node");
    if (r.members.empty()) json::wrong("members", "at least one node");
    if (r.term.count() < 0) json::wrong("term", "a duration");
    return r;
}

}  // namespace

bool in_sync_entry::still_true(database_facts const& facts) const {
    if (facts.process.empty() || facts.at < recorded_at) return false;
    if (!process.empty() && process != facts.process) return false;
    return facts.history.descends_from(history);
}

bool lease_record::names(std::string_view node) const {
    return std::find(members.begin(), members.end(), node) != members.end();
}

in_sync_entry const* lease_record::entry_of(std::string_view node) const {
    auto const found = std::find_if(in_sync.begin(), in_sync.end(),
                                    [&](in_sync_entry const& e) { return e.node == node; });
    return found == in_sync.end() ? nullptr : &*found;
}

namespace {

json::value to_json(lease_record const& r) {
    auto entries = json::value::array();
    for (auto const& e : r.in_sync) {
        entries.push_back({{"node", e.node},
                           {"process", e.process},
                           {"history", e.history},
                           {"recorded_at", e.recorded_at}});
    }
    return {{"epoch", r.epoch},
            {"holder", r.holder},
            {"guard_id", r.guard_id},
            {"write_id", r.write_id},
            {"members", r.members},
            {"in_sync", entries},
            {"state", name(r.state)},
            {"target", r.target},
            {"position", r.released_at},
            {"term", r.term.count()},
            {"reason", r.reason},
            {"published", r.published},
            {"database_died", r.database_died},
            {"configuration", r.configuration},
            {"automatic", r.automatic},
            {"acked", r.acked},
            {"order_done", r.order_done}};
}

}  // namespace

std::string encode(lease_record const& r) {
    return json::dump(to_json(r));
}

std::string encode(lease_memory const& m) {
    return json::dump({{"index", m.index}, {"record", to_json(m.record)}, {"serving", m.serving}});
}

result<lease_memory> decode_memory(std::string_view text) {
    return json::decode(text, "the guard's memory of a lease", [](json::value const& v) {
        return lease_memory{json::number<std::uint64_t>(v, "index"),
                            read(json::member(v, "record")), json::flag(v, "serving")};
    });
}

result<lease_record> decode_record(std::string_view text) {
    return json::decode(text, "the lease record", read);
}

std::string_view name(lease_state s) noexcept {
    switch (s) {
        case lease_state::held:
            return "held";
        case lease_state::released:
            return "released";
        case lease_state::expired:
            return "expired";
    }
    return "?";
}

}  // namespace bevmesh::failover
