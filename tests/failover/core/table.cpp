#include "tests/failover/core/table.hpp"

#include <algorithm>

#include "failover/candidates.hpp"

namespace bevmesh::test {

using namespace failover;

policy policy_of_a(kind kind) {
    policy p;
    p.group = "db";
    p.self = "a";
    p.members = {"a", "b"};
    p.kind = kind;
    p.timing = *profile("lan");
    p.probe = milliseconds(200);
    p.hang = milliseconds(600);
    p.drain = milliseconds(500);
    p.planned_term = seconds(5);
    return checked(p, "lan").value();
}

table::table(failover::policy p) : policy(std::move(p)) {
    database.process = "pa1";
    database.history.id = "h1";
    database.role = role::replica;
    database.condition = condition::ok;
    database.at = 100;
    b.emplace();
    b->database = database;
    b->database.process = "pb1";
    b->configuration = policy.configuration;
    b->guarded = b->ready = true;
}

void table::give(event e) {
    queue(std::move(e));
    while (!waiting_.empty()) {
        auto const next = waiting_.front();
        waiting_.erase(waiting_.begin());
        auto d = step(std::move(core), next, now, policy);
        core = std::move(d.next);
        for (auto const& a : d.actions)
            perform(a);
    }
}

void table::advance(milliseconds by) {
    auto const end = now + by;
    while (next_wake(core, policy) <= end) {
        now = std::max(now, next_wake(core, policy));
        give(tick{});
    }
    now = end;
    give(tick{});
}

void table::serve() {
    give(started{"a1", "g1", std::nullopt});
    advance(milliseconds(3000));
}

void table::serve_with_replica() {
    serve();
    b->database.upstream = policy.self;
    b->database.streaming = true;
    b->database.history = database.history;
    database.replicas = {{"b", database.at, true}};
    while (!entry->entry_of("b"))
        advance(milliseconds(100));
}

void table::follow_b(milliseconds by) {
    if (!entry) {
        entry.emplace();
        entry->state = lease_state::held;
        entry->holder = "b";
        entry->members = policy.members;
        entry->epoch = 1;
        entry->published = true;
        entry->configuration = policy.configuration;
        b->database.role = role::primary;
    }
    for (auto const end = now + by; now < end;) {
        ++index;
        entry->write_id = "b1." + std::to_string(index);
        advance(milliseconds(50));
    }
}

std::vector<std::string> table::done() {
    return std::exchange(lines_, {});
}

bool table::did(std::string const& beginning) const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [&](auto const& line) { return line.starts_with(beginning); });
}

void table::answer(write_record const& a) {
    if (!consul_answers) return queue(write_answered{a.record.write_id, outcome::unknown});
    if (a.base != (entry ? index : 0)) {
        return queue(write_answered{a.record.write_id, outcome::refused, 0, {}, true});
    }
    index += 1;
    entry = a.record;
    if (consul_repeats && a.record.entry_of("b") != nullptr) {
        return queue(write_answered{a.record.write_id, outcome::refused, 0, {}, true});
    }
    if (consul_commits_silently) return queue(write_answered{a.record.write_id, outcome::unknown});
    queue(write_answered{a.record.write_id, outcome::done, index});
}

void table::answer(promote const& a) {
    if (a.process != database.process || now >= a.not_after) {
        return queue(carried_out{a.op, outcome::refused});
    }
    database.role = role::primary;
    database.history.ancestors = {{database.history.id, database.at}};
    database.history.id += "'";
    queue(carried_out{a.op, outcome::done});
}

void table::perform(action const& a) {
    auto const ok = [&](std::uint64_t op) { queue(carried_out{op, outcome::done, database.at}); };
    if (auto const* x = std::get_if<read_record>(&a)) {
        if (consul_answers) return queue(record_seen{x->op, entry ? index : 0, entry});
        return queue(read_failed{x->op});
    }
    if (auto const* x = std::get_if<probe>(&a)) {
        if (probes_answer) queue(probed{x->op, now, database});
        return;
    }
    if (auto const* x = std::get_if<ask_peer>(&a)) return queue(peer_answered{x->op, x->node, b});
    lines_.push_back(to_string(a));
    if (auto const* x = std::get_if<write_record>(&a)) return answer(*x);
    if (auto const* x = std::get_if<promote>(&a)) return answer(*x);
    if (auto const* x = std::get_if<ask_promises>(&a)) {
        if (b) queue(promise_answered{"b", x->round, b_promises});
    } else if (auto const* g = std::get_if<arm_guard>(&a)) {
        if (guard_answers) queue(guard_answered{g->op, outcome::done});
    } else if (auto const* e = std::get_if<extend_guard>(&a)) {
        if (guard_answers) queue(guard_answered{e->op, outcome::done});
    } else if (auto const* f = std::get_if<forget_guard>(&a)) {
        if (guard_answers) queue(guard_answered{f->op, outcome::done});
    } else if (auto const* s = std::get_if<end_streams>(&a)) {
        ok(s->op);
    } else if (auto const* w = std::get_if<prove>(&a)) {
        ok(w->op);
    } else if (auto const* gate = std::get_if<set_gate>(&a)) {
        ok(gate->op);
    } else if (auto const* d = std::get_if<drain>(&a)) {
        carried_out drained{d->op, drains ? outcome::done : outcome::refused, database.at};
        drained.detail = "b did not get there";
        queue(drained);
    } else if (auto const* r = std::get_if<resume_writes>(&a)) {
        if (resumes) return ok(r->op);
        queue(carried_out{r->op, outcome::unknown});
    } else if (auto const* fe = std::get_if<fence>(&a)) {
        if (!fence_works) return queue(failover::fenced{fe->op, outcome::unknown});
        database.role = role::replica;
        queue(failover::fenced{fe->op, outcome::done, fe->kill});
    } else if (auto const* fo = std::get_if<follow>(&a)) {
        if (!answers_follow) return;
        if (diverged || behind) {
            carried_out no{fo->op, outcome::refused};
            no.diverged = diverged;
            no.behind = behind;
            return queue(no);
        }
        database.upstream = fo->upstream;
        database.streaming = true;
        ok(fo->op);
    } else if (auto const* c = std::get_if<checkpoint>(&a)) {
        ok(c->op);
    } else if (auto const* q = std::get_if<quarantine>(&a)) {
        carried_out copied{q->op, quarantine_fails.empty() ? outcome::done : outcome::refused};
        copied.detail = quarantine_fails;
        queue(copied);
    } else if (auto const* re = std::get_if<resync>(&a)) {
        if (!resyncs) return queue(carried_out{re->op, outcome::unknown});
        diverged = behind = false;
        ok(re->op);
    } else if (auto const* h = std::get_if<run_hook>(&a)) {
        ok(h->op);
    } else if (auto const* st = std::get_if<start_database>(&a)) {
        if (starts) return ok(st->op);
        queue(carried_out{st->op, outcome::refused});
    }
}

}  // namespace bevmesh::test
