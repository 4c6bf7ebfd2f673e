#include "failover/health.hpp"

#include "failover/candidates.hpp"
#include "failover/fencing.hpp"
#include "failover/peers.hpp"
#include "failover/sync.hpp"

namespace bevmesh::failover::health {

namespace {

bool another_is_fit(turn const& t) {
    auto const all = candidates(t.s, t.p, t.now);
    return std::any_of(all.begin(), all.end(),
                       [&](candidate const& c) { return c.fit && c.node != t.p.self; });
}

/// The replicas' own view: a primary that all of them still stream from is alive. Only what came
/// over the stream since it fell silent counts: a connection to a process that stands still stays
/// up for a minute.
bool replicas_stream(turn const& t) {
    auto any = false;
    for (auto const& e : t.s.hold->record.in_sync) {
        if (e.node == t.p.self) continue;
        auto const peer = t.s.peers.find(e.node);
        if (peer == t.s.peers.end() || !peer->second.report || !peer->second.answers) return false;
        auto const& facts = peer->second.report->database;
        auto const& advanced = peer->second.advanced;
        if (!advanced || *advanced + t.p.hang < t.now) return false;
        if (*advanced < t.s.database.silent_since.value_or(t.now)) return false;
        if (facts.upstream != t.p.self || !facts.streaming) return false;
        any = true;
    }
    return any;
}

void note_silence(turn const& t, database_facts const& facts) {
    auto& d = t.s.database;
    auto const since = [&](std::optional<instant>& when, bool is) {
        if (!is) {
            when.reset();
        } else if (!when) {
            when = t.now;
        }
    };
    since(d.silent_since, facts.condition == condition::hung);
    since(d.refused_since, facts.condition == condition::refused);
    if (t.s.at == stage::serving) {
        d.write_failures = facts.condition == condition::write_fails ? d.write_failures + 1 : 0;
    }
}

/// Demoted by somebody else: promoted again, but only after a renewal committed since.
void demoted(turn const& t) {
    t.say(weight::alarm, "the primary of " + t.p.group + " was demoted, and not by bevmesh");
    t.s.hold->promotable = t.now;
    t.s.promotion.op = 0;
    t.s.moving.reset();
    t.enter(stage::promoting);
}

void judge_lead(turn const& t, database_facts const& facts) {
    if (!facts.process.empty() && facts.process != t.s.process) {
        return fencing::begin(t, afterwards::release,
                              "another process runs in the place of the primary", true);
    }
    if (facts.process == t.s.process && facts.role == role::replica && t.s.at != stage::draining) {
        auto const* const entry = t.s.hold->record.entry_of(t.p.self);
        if (entry != nullptr && entry->still_true(facts)) return demoted(t);
        fencing::begin(t, afterwards::release, "the database now follows another history");
    }
}

/// From one probe to the next, and how long each may last. One that died is started again at once:
/// it is looked for often at first, and a connection that its container's network lost on the way
/// is not waited for.
nanoseconds pace(turn const& t) {
    auto const& down = t.s.database.down_since;
    return down ? std::clamp((t.now - *down) / 8, t.p.probe / 10, t.p.probe) : t.p.probe;
}

void look_silence(turn const& t) {
    auto const& d = t.s.database;
    if (d.silent_since && t.now >= *d.silent_since + t.p.hang) {
        if (replicas_stream(t)) {
            return t.say_once(weight::alarm, "the primary of " + t.p.group +
                                                 " does not answer, but its replicas stream");
        }
        return fencing::begin(t, afterwards::release, "the database hangs", false, true);
    }
    if (d.refused_since && t.now >= *d.refused_since + t.p.probe) {
        fencing::begin(t, afterwards::release, "the database refuses connections", false, true);
    }
}

}  // namespace

void absorb(turn const& t, probed const& e) {
    auto& d = t.s.database;
    d.probing.take(e.op);
    if (d.any && e.asked < d.asked) return;
    if (e.asked < t.s.waiting_since && t.s.waiting_since != instant{}) return;
    auto const was = d.facts.condition;
    auto const mute = tells_nothing(e.facts);
    auto const silent = mute || e.facts.process.empty();
    if (mute && !d.facts.process.empty()) {
        d.facts.condition = e.facts.condition;  // what it was it still is
        d.facts.streaming = false;
        d.facts.replicas.clear();
    } else {
        d.facts = e.facts;
    }
    d.any = true;
    d.asked = e.asked;
    if (d.facts.condition == condition::ok) d.down_since.reset();
    note_silence(t, d.facts);
    sync::absorb_probe(t);
    if (was != d.facts.condition && d.facts.condition != condition::ok) {
        t.say(weight::warning,
              "the database of " + t.p.group + " " + std::string(name(d.facts.condition)));
    }
    if (t.leads() && !silent) judge_lead(t, d.facts);
}

void absorb(turn const& t, database_died const& e) {
    auto& d = t.s.database;
    d.dead = e.process;
    if (d.facts.process == e.process) {
        d.facts = {};
        d.facts.condition = condition::refused;
        d.probe_next = t.now;
        d.down_since = t.now;
        peers::nudge_all(t);
    }
    fencing::absorb_death(t, e.process);
    if (t.holds() && t.s.process == e.process) {
        t.s.promotion_open = false;
        fencing::begin(t, afterwards::release, "its database died", true);
    }
}

void look(turn const& t) {
    auto& d = t.s.database;
    if (t.leads()) look_silence(t);
    if (t.s.at == stage::serving && d.write_failures >= t.p.write_failures_max) {
        if (another_is_fit(t)) {
            fencing::begin(t, afterwards::release, "no write goes through");
        } else {
            t.say_once(weight::alarm,
                       "no write goes through in " + t.p.group + ", and nobody else is fit");
        }
    }
    if (d.probing.out(t.now) || t.now < d.probe_next) return;
    auto const limit = pace(t);
    t.act(probe{t.begin(d.probing, limit), limit});
    d.probe_next = t.now + limit;
}

}  // namespace bevmesh::failover::health
