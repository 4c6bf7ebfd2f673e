#include "mesh/cli/failover_view.hpp"

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

bool is_true(json const& v, char const* key) {
    auto const at = v.is_object() ? v.find(key) : v.end();
    return v.is_object() && at != v.end() && at->is_boolean() && at->get<bool>();
}

std::string digits_at(json const& v, char const* key) {
    auto const at = v.is_object() ? v.find(key) : v.end();
    return v.is_object() && at != v.end() && at->is_number() ? at->dump() : std::string();
}

std::string lease_left(json const& lease) {
    auto const left = digits_at(lease, "left_ms");
    return left.empty() ? std::string() : ", " + left + " ms left";
}

std::string headline(json const& group) {
    auto const& lease = member_at(group, "lease");
    auto const holder = text_at(lease, "holder");
    auto line = printable(text_at(group, "group")) + " (" + printable(text_at(group, "kind")) + ")";
    if (!is_true(lease, "seen")) return line + ": Consul has not answered yet";
    if (!text_at(lease, "unreadable").empty())
        return line + ": the record cannot be read: " + printable(text_at(lease, "unreadable"));
    if (holder.empty())
        return line + ": no lease; `bevmesh failover init " + printable(text_at(group, "group")) +
               " --node NODE` starts it";
    return line + ": " + printable(holder) + ", epoch " + digits_at(lease, "epoch") + ", " +
           printable(text_at(lease, "state")) + lease_left(lease);
}

cell state_of(json const& m) {
    if (!is_true(m, "answers")) return {"no answer", look::bad};
    auto const condition = text_at(m, "condition");
    if (condition != "ok") return {condition, look::bad};
    if (text_at(m, "role") == "primary")
        return is_true(m, "serving") ? cell{"serving", look::good} : cell{"fenced?", look::bad};
    return is_true(m, "streaming") ? cell{"streaming", look::good}
                                   : cell{"not streaming", look::warning};
}

cell yes_or_no(bool yes) {
    return yes ? cell{"yes", look::good} : cell{"no", look::warning};
}

std::string members_table(json const& group, page const& on) {
    table t({"MEMBER", "ROLE", "STATE", "FOLLOWS", "POSITION", "LAG", "IN SYNC", "GUARD",
             "BOOT FENCED", "PRIORITY"});
    for (auto const& m : member_at(group, "members"))
        t.add({{text_at(m, "node")},
               // What it was when it was heard last must not look like a second primary.
               {is_true(m, "answers") ? text_at(m, "role") : std::string()},
               state_of(m),
               {text_at(m, "upstream")},
               {digits_at(m, "at")},
               {digits_at(m, "lag")},
               yes_or_no(is_true(m, "in_sync")),
               yes_or_no(is_true(m, "guarded")),
               yes_or_no(is_true(m, "boot_fenced")),
               {digits_at(m, "priority")}});
    return t.draw(on);
}

std::string orders_of(json const& group) {
    std::string drawn;
    if (auto const& pause = member_at(group, "pause"); pause.is_object())
        drawn += std::string(is_true(pause, "mesh") ? "the whole mesh is paused" : "paused") +
                 " until " + printable(text_at(pause, "until")) + " by " +
                 printable(text_at(pause, "by")) + ": nothing moves by itself\n";
    if (auto const& later = member_at(group, "scheduled"); later.is_object())
        drawn += "moves to " + printable(text_at(later, "node")) + " at " +
                 printable(text_at(later, "at")) + ", ordered by " +
                 printable(text_at(later, "by")) + "\n";
    return drawn;
}

template <class Draw>
std::string each_group(json const& answer, Draw const& draw) {
    std::string drawn;
    for (auto const& group : member_at(answer, "groups"))
        drawn += (drawn.empty() ? "" : "\n") + headline(group) + "\n" + draw(group);
    for (auto const& silent : member_at(answer, "not_answering"))
        drawn += printable(text_at(silent, "group")) +
                 ": no member answers: " + printable(text_at(silent, "why")) + "\n";
    return drawn.empty() ? "the configuration has no failover group\n" : drawn;
}

}  // namespace

std::string draw_failover_status(json const& answer, page const& on) {
    return each_group(answer, [&](json const& group) {
        auto drawn = members_table(group, on);
        if (auto const told = text_at(group, "told"); !told.empty())
            drawn += "last: " + printable(told) + "\n";
        return drawn + orders_of(group);
    });
}

std::string draw_failover_explain(json const& answer, page const& on) {
    return each_group(answer, [&](json const& group) {
        table t({"MEMBER", "WOULD BE PROMOTED", "POSITION", "PRIORITY", "WHY NOT"});
        for (auto const& c : member_at(group, "candidates"))
            t.add({{text_at(c, "node")},
                   yes_or_no(is_true(c, "fit")),
                   {digits_at(c, "at")},
                   {digits_at(c, "priority")},
                   {text_at(c, "why")}});
        auto const& may = member_at(group, "permission");
        return t.draw(on) + "the lease " +
               (is_true(may, "given") ? "may be taken: " : "may not be taken: ") +
               printable(text_at(may, "why")) + "\n";
    });
}

std::string draw_failover_history(json const& answer, page const& on) {
    table t({"TIME", "NODE", "WEIGHT", "WHAT"});
    for (auto const& e : member_at(answer, "history")) {
        auto const weight = text_at(e, "weight");
        auto const style = weight == "alarm"     ? look::bad
                           : weight == "warning" ? look::warning
                                                 : look::plain;
        t.add({{text_at(e, "at")},
               {text_at(e, "node")},
               {weight, style},
               {text_at(e, "text"), style}});
    }
    auto const* const missing =
        is_true(answer, "complete") ? "" : "Consul does not answer: this is what one node knows\n";
    return t.draw(on) + missing;
}

bool failover_is_degraded(json const& answer) {
    if (!member_at(answer, "not_answering").empty()) return true;
    for (auto const& group : member_at(answer, "groups")) {
        bool served = false;
        for (auto const& m : member_at(group, "members")) {
            if (!is_true(m, "answers") || text_at(m, "condition") != "ok") return true;
            served = served || is_true(m, "serving");
        }
        if (!served) return true;
    }
    return false;
}

}  // namespace bevmesh::cli
