#include "failover/driver/members.hpp"

#include <array>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::failover {

namespace {

using json::value;

role role_named(std::string const& text) {
    for (auto const r : {role::none, role::primary, role::replica})
        if (name(r) == text) return r;
    json::wrong("role", "none, primary or replica");
}

condition condition_named(std::string const& text) {
    for (auto const c : {condition::ok, condition::refused, condition::hung, condition::write_fails,
                         condition::loading, condition::busy, condition::recovering,
                         condition::bad_credentials, condition::foreign_data})
        if (name(c) == text) return c;
    json::wrong("condition", "a database's condition");
}

value to_json(database_facts const& f) {
    auto ancestors = value::array();
    for (auto const& a : f.history.ancestors)
        ancestors.push_back({{"id", a.id}, {"end", a.end}});
    auto replicas = value::array();
    for (auto const& r : f.replicas)
        replicas.push_back({{"node", r.node}, {"flushed", r.flushed}, {"streaming", r.streaming}});
    return {{"process", f.process},
            {"history", {{"id", f.history.id}, {"ancestors", ancestors}}},
            {"role", name(f.role)},
            {"condition", name(f.condition)},
            {"at", f.at},
            {"upstream", f.upstream},
            {"streaming", f.streaming},
            {"boot_fenced", f.boot_fenced},
            {"replicas", replicas}};
}

database_facts facts_of(value const& v) {
    database_facts f;
    f.process = json::text(v, "process");
    auto const& history = json::member(v, "history");
    f.history.id = json::text(history, "id");
    for (auto const& a : json::member(history, "ancestors"))
        f.history.ancestors.push_back({json::text(a, "id"), json::number<position>(a, "end")});
    f.role = role_named(json::text(v, "role"));
    f.condition = condition_named(json::text(v, "condition"));
    f.at = json::number<position>(v, "at");
    f.upstream = json::text(v, "upstream");
    f.streaming = json::flag(v, "streaming");
    f.boot_fenced = json::flag(v, "boot_fenced");
    for (auto const& r : json::member(v, "replicas"))
        f.replicas.push_back({json::text(r, "node"), json::number<position>(r, "flushed"),
                              json::flag(r, "streaming")});
    return f;
}

}  // namespace

std::string encode(promise_request const& r) {
    return json::dump({{"group", r.group}, {"round", r.round}, {"epoch", r.epoch}});
}

result<promise_request> decode_promise_request(std::string_view text) {
    return json::decode(text, "a question for a promise", [](value const& v) {
        return promise_request{json::text(v, "group"), json::text(v, "round"),
                               json::number<std::uint64_t>(v, "epoch")};
    });
}

std::string encode(promise_reply const& r) {
    return json::dump({{"granted", r.granted}, {"why", r.why}});
}

result<promise_reply> decode_promise_reply(std::string_view text) {
    return json::decode(text, "the answer to a question for a promise", [](value const& v) {
        return promise_reply{json::flag(v, "granted"), json::text(v, "why")};
    });
}

std::string encode(member_report const& r) {
    return json::dump({{"database", to_json(r.database)},
                       {"epoch", r.epoch},
                       {"epoch_holder", r.epoch_holder},
                       {"configuration", r.configuration},
                       {"priority", r.priority},
                       {"serving", r.serving},
                       {"guarded", r.guarded},
                       {"ready", r.ready}});
}

result<member_report> decode_report(std::string_view text) {
    return json::decode(text, "a member's report", [](value const& v) {
        member_report r;
        r.database = facts_of(json::member(v, "database"));
        r.epoch = json::number<std::uint64_t>(v, "epoch");
        r.epoch_holder = json::text(v, "epoch_holder");
        r.configuration = json::text(v, "configuration");
        r.priority = json::number<int>(v, "priority");
        r.serving = json::flag(v, "serving");
        r.guarded = json::flag(v, "guarded");
        r.ready = json::flag(v, "ready");
        return r;
    });
}

std::string encode_group(std::string_view group) {
    return json::dump({{"group", group}});
}

result<std::string> decode_group(std::string_view text) {
    return json::decode(text, "a question about a group",
                        [](value const& v) { return json::text(v, "group"); });
}

}  // namespace bevmesh::failover
