#include "failover/candidates.hpp"

#include <algorithm>

#include "failover/lease.hpp"

namespace bevmesh::failover {

namespace {

std::string condition_reason(database_facts const& facts) {
    if (facts.process.empty()) return "its database does not run";
    if (facts.condition != condition::ok) {
        return "its database " + std::string(name(facts.condition));
    }
    if (!facts.boot_fenced) return "its database would start as a primary: it is not boot-fenced";
    return {};
}

std::string sync_reason(std::string const& node, database_facts const& facts,
                        lease_record const& record) {
    auto const* const entry = record.entry_of(node);
    if (entry == nullptr) return "it was not in sync";
    if (entry->still_true(facts)) return {};
    if (!entry->process.empty() && entry->process != facts.process) {
        return "its database was started anew since it was in sync";
    }
    if (facts.at < entry->recorded_at) return "it holds less than when it was in sync";
    return "its history is another one";
}

bool better(candidate const& a, candidate const& b) {
    if (a.fit != b.fit) return a.fit;
    if (a.at != b.at) return a.at > b.at;
    if (a.priority != b.priority) return a.priority > b.priority;
    return a.node < b.node;
}

permission not_given(std::string why, std::optional<instant> at = std::nullopt) {
    permission no;
    no.why = std::move(why);
    no.at = at;
    return no;
}

permission given(std::string why) {
    permission yes;
    yes.given = true;
    yes.why = std::move(why);
    return yes;
}

permission after_wait(instant now, instant at, std::string const& because,
                      std::string const& until_then) {
    if (now < at) return not_given(until_then, at);
    auto yes = given(because);
    yes.elapsed = true;
    return yes;
}

/// Promises bind, except one to a holder that has released since.
instant promised(state const& s, std::string const& released_by) {
    instant until{};
    for (auto const& [node, peer] : s.peers) {
        if (node != released_by) until = std::max(until, peer.promised_until);
    }
    return until;
}

permission of_released(state const& s, policy const& p, instant now) {
    auto const& r = *s.seen.record;
    auto const waited = s.seen.changed + p.timing.observer;
    auto const open = s.seen.witnessed || p.broken(fault::free_is_permission);
    if (!open) {
        return after_wait(now, waited, "it is released and O has passed",
                          "it was released before we looked: waiting O");
    }
    if (!r.target.empty() && r.target != p.self && r.names(r.target)) {
        return after_wait(now, waited, r.target + " did not take it within O",
                          "it is released to " + r.target);
    }
    auto yes = given(r.holder + " released it: " + r.reason);
    yes.died = r.database_died;
    return yes;
}

permission by_record(state const& s, policy const& p, instant now) {
    auto const& r = *s.seen.record;
    if (!r.names(p.self)) return not_given("this node is no member in the record");
    // Only its holder knows who was in sync in an epoch that the entry has forgotten.
    if (s.epoch_seen > r.epoch && s.epoch_holder != p.self && !s.wish) {
        return not_given("the entry was put back: " + s.epoch_holder + " had epoch " +
                         std::to_string(s.epoch_seen) + " since");
    }
    switch (r.state) {
        case lease_state::released:
            return of_released(s, p, now);
        case lease_state::expired:
            if (s.seen.witnessed || s.marked_expired) return given("it is marked expired");
            return after_wait(now, s.seen.changed + p.timing.observer,
                              "it is expired and O has passed",
                              "it expired before we looked: waiting O");
        case lease_state::held:
            break;
    }
    if (p.broken(fault::ownership_by_name) && r.holder == p.self) {
        auto yes = given("this node's name is on it");
        yes.own_chain = true;
        return yes;
    }
    // Later than that another one could have taken it, and a restore of Consul could hide that.
    if (s.hold && s.hold->index == s.seen.index && !s.hold->foreign &&
        r.write_id == s.hold->record.write_id && now < s.hold->basis + p.timing.observer * 9 / 10) {
        auto yes = given("nobody took it since this node stopped");
        yes.own_chain = true;
        return yes;
    }
    return after_wait(now, s.seen.changed + lease::observer_wait(r, p),
                      r.holder + " has not renewed it for O", r.holder + " holds it");
}

permission of_missing(state const& s, policy const& p, instant now) {
    if (p.broken(fault::free_is_permission)) {
        auto yes = given("the key is missing");
        yes.vacant = true;
        return yes;
    }
    auto answer = after_wait(now, s.seen.changed + p.timing.observer,
                             "the key is missing and O has passed", "the key is missing");
    answer.vacant = true;
    return answer;
}

}  // namespace

std::string unfit(std::string const& node, member_report const& report, lease_record const* record,
                  policy const& p, bool loss) {
    if (record != nullptr && !record->names(node)) return "it is no member";
    if (report.configuration != p.configuration) return "its failover configuration is another one";
    if (report.priority == 0) return "its priority is 0";
    if (auto const why = condition_reason(report.database); !why.empty()) return why;
    if (!report.guarded) return "it has no live guard";
    if (!report.ready) return "its daemon has just started, was frozen, or does not hear Consul";
    if (record == nullptr || loss) return {};
    if (!p.broken(fault::promote_out_of_sync)) {
        if (auto const why = sync_reason(node, report.database, *record); !why.empty()) return why;
    }
    if (record->state == lease_state::released && report.database.at < record->released_at) {
        return "it has not all that the old primary had";
    }
    return {};
}

member_report own_report(state const& s, policy const& p, instant now) {
    member_report r;
    r.database = s.database.facts;
    r.epoch = s.epoch_seen;
    r.epoch_holder = s.epoch_holder;
    r.configuration = p.configuration;
    r.priority = p.priority;
    r.serving =
        s.hold && s.at >= stage::proving && s.at <= stage::draining && now < s.hold->valid_until;
    r.guarded = !s.guard_id.empty();
    r.ready = (now >= s.waiting_until || (s.hold && s.at == stage::observing)) &&
              !lease::out_of_touch(s, p, now);
    return r;
}

std::vector<candidate> candidates(state const& s, policy const& p, instant now, bool loss) {
    auto const* const record = s.seen.record ? &*s.seen.record : nullptr;
    auto const& members = record != nullptr ? record->members : p.members;
    std::vector<candidate> all;
    for (auto const& node : members) {
        candidate c;
        c.node = node;
        auto const peer = s.peers.find(node);
        std::optional<member_report> report;
        if (node == p.self) {
            report = own_report(s, p, now);
            c.heard = true;
        } else if (peer != s.peers.end()) {
            report = peer->second.report;
            c.heard = peer->second.answers;
        }
        if (!report || !c.heard) {
            c.why = "it does not answer";
        } else {
            c.why = unfit(node, *report, record, p, loss);
            c.at = report->database.at;
            c.priority = report->priority;
        }
        c.fit = c.why.empty();
        all.push_back(std::move(c));
    }
    std::sort(all.begin(), all.end(), better);
    return all;
}

permission may_take(state const& s, policy const& p, instant now) {
    if (!s.seen.any) return not_given("Consul has not answered yet");
    if (!s.seen.unreadable.empty()) return not_given("the entry is no lease: " + s.seen.unreadable);
    auto answer = s.seen.record ? by_record(s, p, now) : of_missing(s, p, now);
    if (!answer.given) return answer;
    auto const released = s.seen.record && s.seen.record->state == lease_state::released
                              ? s.seen.record->holder
                              : std::string();
    if (auto const until = promised(s, released);
        now < until && !p.broken(fault::no_observer_wait)) {
        return not_given("this node promised to take nothing", until);
    }
    if (answer.own_chain) return answer;
    if (now < s.waiting_until && !p.broken(fault::no_observer_wait)) {
        return not_given("this daemon has just started, or was frozen", s.waiting_until);
    }
    return answer;
}

}  // namespace bevmesh::failover
