// One core on the table: its driver answers everything at once and well, unless it was told
// otherwise.
//
// The group has the members a (this node) and b. What the core does is noted as lines; probes,
// reads and questions to peers are not, because they are most of it and say nothing.
#pragma once

#include <string>
#include <vector>

#include "failover/step.hpp"

namespace bevmesh::test {

[[nodiscard]] failover::policy policy_of_a(failover::kind kind = failover::kind::postgres);

class table {
public:
    explicit table(failover::policy p);

    /// The core gets `e` and whatever follows from its answers, at this instant.
    void give(failover::event e);
    /// Time passes; ticks come when they are due.
    void advance(milliseconds by);
    /// A take, a promotion, and service.
    void serve();
    /// The same, and b streams from this node and is recorded as in sync.
    void serve_with_replica();
    /// b holds the lease and serves; it renews while `by` passes.
    void follow_b(milliseconds by);

    /// What was done since the last call.
    [[nodiscard]] std::vector<std::string> done();
    [[nodiscard]] bool did(std::string const& beginning) const;

    failover::policy policy;
    failover::state core;
    instant now{seconds(1000)};

    bool consul_answers = true;
    bool consul_commits_silently = false;  // writes commit, their answers are lost
    bool consul_repeats = false;           // what names b reaches it twice: committed, then refused
    bool guard_answers = true;
    bool probes_answer = true;
    bool resumes = true;
    bool fence_works = true;
    bool drains = true;
    bool diverged = false;  // of the own database: it refuses to follow
    bool behind = false;    // the same, until it is made anew
    bool answers_follow = true;
    std::string quarantine_fails;  // why; empty: it works
    bool resyncs = true;
    bool starts = true;
    std::uint64_t index = 0;
    std::optional<failover::lease_record> entry;
    failover::database_facts database;
    std::optional<failover::member_report> b;  // empty: it does not answer
    bool b_promises = true;

private:
    void perform(failover::action const& a);
    void answer(failover::write_record const& a);
    void answer(failover::promote const& a);
    void queue(failover::event e) { waiting_.push_back(std::move(e)); }

    std::vector<failover::event> waiting_;
    std::vector<std::string> lines_;
};

}  // namespace bevmesh::test
