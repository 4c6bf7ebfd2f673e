#include "mesh/daemon/failover_view.hpp"

#include <nlohmann/json.hpp>

#include "failover/candidates.hpp"
#include "mesh/daemon/bodies.hpp"

namespace bevmesh::daemon {
namespace {

using namespace failover;
using nlohmann::json;

std::int64_t milliseconds_to(instant when, instant now) {
    return std::chrono::duration_cast<milliseconds>(when - now).count();
}

/// Behind the primary in what the database counts; null where one of both is not known.
json lag_of(database_facts const& facts, std::optional<position> const& primary_at) {
    if (!primary_at || facts.role != role::replica) return nullptr;
    return *primary_at > facts.at ? *primary_at - facts.at : 0;
}

json member_json(std::string const& node, member_report const* report, bool answers,
                 lease_record const* record, std::optional<position> const& primary_at) {
    json m{{"node", node}, {"answers", answers}};
    auto const* const entry = record == nullptr ? nullptr : record->entry_of(node);
    m["in_sync"] = entry != nullptr;
    if (report == nullptr) return m;
    auto const& f = report->database;
    m.update({{"role", name(f.role)},
              {"condition", name(f.condition)},
              {"process", f.process},
              {"history", f.history.id},
              {"at", f.at},
              {"upstream", f.upstream},
              {"streaming", f.streaming},
              {"boot_fenced", f.boot_fenced},
              {"lag", lag_of(f, primary_at)},
              {"serving", report->serving},
              {"guarded", report->guarded},
              {"ready", report->ready},
              {"priority", report->priority},
              {"epoch", report->epoch},
              {"configuration", report->configuration}});
    return m;
}

json lease_json(state const& s, policy const& p, instant now) {
    json lease{{"seen", s.seen.any}, {"index", s.seen.index}};
    if (!s.seen.unreadable.empty()) lease["unreadable"] = s.seen.unreadable;
    if (s.seen.record) {
        auto const& r = *s.seen.record;
        lease.update({{"holder", r.holder},
                      {"epoch", r.epoch},
                      {"state", name(r.state)},
                      {"reason", r.reason},
                      {"published", r.published},
                      {"target", r.target},
                      {"changed_ms_ago", -milliseconds_to(s.seen.changed, now)}});
    }
    if (s.hold && s.seen.record && s.seen.record->holder == p.self)
        lease["left_ms"] = milliseconds_to(s.hold->valid_until, now);
    return lease;
}

}  // namespace

json describe_group(driver const& d, instant now) {
    auto const& s = d.view();
    auto const& p = d.rules();
    auto const own = own_report(s, p, now);
    auto const* const record = s.seen.record ? &*s.seen.record : nullptr;
    auto const report_of = [&](std::string const& node) -> member_report const* {
        if (node == p.self) return &own;
        auto const peer = s.peers.find(node);
        return peer != s.peers.end() && peer->second.report ? &*peer->second.report : nullptr;
    };
    std::optional<position> primary_at;
    if (record != nullptr)
        if (auto const* r = report_of(record->holder); r != nullptr)
            if (r->database.role == role::primary) primary_at = r->database.at;
    json members = json::array();
    for (auto const& node : p.members) {
        auto const peer = s.peers.find(node);
        bool const answers = node == p.self || (peer != s.peers.end() && peer->second.answers);
        members.push_back(member_json(node, report_of(node), answers, record, primary_at));
    }
    json would = json::array();
    for (auto const& c : candidates(s, p, now))
        would.push_back({{"node", c.node},
                         {"fit", c.fit},
                         {"why", c.why},
                         {"heard", c.heard},
                         {"at", c.at},
                         {"priority", c.priority}});
    auto const may = may_take(s, p, now);
    return {{"group", p.group},
            {"kind", p.kind == kind::redis ? "redis" : "postgres"},
            {"node", p.self},
            {"stage", name(s.at)},
            {"preferred", p.preferred},
            {"guard", s.guard_id},
            {"told", s.told},
            {"paused_ms", std::max<std::int64_t>(0, milliseconds_to(s.paused_until, now))},
            {"lease", lease_json(s, p, now)},
            {"members", members},
            {"candidates", would},
            {"permission", {{"given", may.given}, {"why", may.why}}}};
}

json describe_orders(standing_orders const& own, standing_orders const& mesh, utc now) {
    json shown{{"scheduled", nullptr}, {"pause", nullptr}};
    if (own.switchover)
        shown["scheduled"] = {{"node", own.switchover->node},
                              {"at", to_text(own.switchover->at)},
                              {"by", own.switchover->by}};
    for (auto const* const orders : {&mesh, &own})
        if (orders->pause && orders->pause->until > now)
            shown["pause"] = {{"until", to_text(orders->pause->until)},
                              {"by", orders->pause->by},
                              {"mesh", orders == &mesh}};
    return shown;
}

json describe_history(std::vector<shared_line> const& lines) {
    json all = json::array();
    for (auto const& line : lines)
        all.push_back({{"at", line.entry.at},
                       {"node", line.node},
                       {"weight", name(line.entry.how)},
                       {"text", line.entry.text}});
    return all;
}

json describe_history(journal const& j, std::string const& node) {
    std::vector<shared_line> lines;
    for (auto const& e : j.recent())
        lines.push_back({node, e});
    return describe_history(lines);
}

json group_in(json const& answer) {
    auto const at = answer.is_object() ? answer.find("groups") : answer.end();
    if (!answer.is_object() || at == answer.end() || !at->is_array() || at->empty()) return {};
    return at->front();
}

std::string holder_in(json const& answer) {
    auto const group = group_in(answer);
    return group.is_object() ? text_at(group.value("lease", json::object()), "holder")
                             : std::string();
}

}  // namespace bevmesh::daemon
