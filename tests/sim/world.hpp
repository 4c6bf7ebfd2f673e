// N nodes, each with daemon, guard, database and a client that writes all the time; Consul; the
// network; the checks after every event.
//
// The daemons run the real core; everything that it asks for is done by the models here, with their
// delays, losses and deaths. One seed decides all of it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "failover/candidates.hpp"
#include "failover/step.hpp"
#include "tests/sim/consul.hpp"
#include "tests/sim/database.hpp"
#include "tests/sim/settings.hpp"

namespace bevmesh::sim {

struct guard_model {
    bool alive = true;
    bool frozen = false;
    std::string id;
    bool killing = false;
    std::string process;  // that it holds
    ticks deadline = 0;   // valid_until on the node's clock
    failover::lease_memory memory;
    std::uint64_t alarm = 0;  // number of the newest timer
};

struct daemon_model {
    bool alive = false;
    bool frozen = false;
    std::uint64_t life = 0;
    std::uint64_t alarm = 0;
    failover::state core;
    failover::policy policy;
    std::vector<failover::event> inbox;  // what arrives while it is frozen
};

struct node {
    std::string name;
    node_clock clock;
    daemon_model daemon;
    guard_model guard;
    database db;
    std::uint64_t processes = 0;
    std::string proved;          // the process that took a write since its promotion
    bool planned = false;        // its take was of a lease released to it
    ticks unguarded_until = -1;  // a named hole is open
    std::uint64_t stream_life = 0;
    std::vector<std::function<void()>> hung;  // what waits for the database to go on
    bool loss_accepted = false;               // by the operator, for its next promotion
    bool frozen = false;                      // the whole machine
    bool lost_answers = false;                // promotions succeed without an answer
    bool fails_promotion = false;
    bool slow_promotion = false;
};

[[nodiscard]] failover::policy policy_of(settings const& s, std::vector<std::string> const& members,
                                         std::string const& self);

struct tally {
    std::uint64_t writes = 0;   // acknowledged
    std::uint64_t excused = 0;  // lost where the protocol says so
    std::uint64_t steps = 0;
    std::uint64_t promotions = 0;
};

class world {
public:
    explicit world(settings const& s);

    /// The safety phase, the heal and the convergence; empty: nothing was violated.
    [[nodiscard]] std::string run();

    [[nodiscard]] tally const& figures() const { return tally_; }
    [[nodiscard]] std::vector<std::string> const& schedule() const { return schedule_; }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

private:
    // world.cpp: time, messages, daemons
    node& named(std::string const& name);
    [[nodiscard]] std::size_t index_of(std::string const& name) const;
    void note(std::string const& who, std::string const& what);
    void boot_daemon(node& n);
    void deliver(node& n, std::uint64_t life, failover::event e);
    void feed(node& n, failover::event const& e);
    void arm_tick(node& n);
    [[nodiscard]] ticks latency();
    [[nodiscard]] bool linked(std::size_t from, std::size_t to) const { return !cut_[from][to]; }
    /// From node to node (nodes_.size(): Consul); may lose, delay, duplicate.
    void post(std::size_t from, std::size_t to, std::function<void()> what);
    template <class Answer>
    void answer_later(node& n, ticks delay, Answer a) {
        queue_.in(delay, [this, &n, life = n.daemon.life, a] { deliver(n, life, a); });
    }

    // driver.cpp: actions
    void perform(node& n, failover::action const& a);
    void on(node& n, failover::read_record const& a);
    void on(node& n, failover::write_record const& a);
    void on(node& n, failover::ask_promises const& a);
    void on(node& n, failover::answer_promise const& a);
    void on(node& n, failover::ask_peer const& a);
    void on(node& n, failover::nudge const& a);
    void on(node& n, failover::arm_guard const& a);
    void on(node& n, failover::extend_guard const& a);
    void on(node& n, failover::forget_guard const& a);
    void on(node& n, failover::tell const& a);
    void on(node& n, failover::run_hook const& a);
    void at_consul(std::size_t from, std::function<void()> what);
    void commit(node& n, failover::write_record const& a);
    void notify();

    // local.cpp: the database on the driver's side
    void on(node& n, failover::probe const& a);
    void on(node& n, failover::end_streams const& a);
    void on(node& n, failover::promote const& a);
    void on(node& n, failover::prove const& a);
    void on(node& n, failover::set_gate const& a);
    void on(node& n, failover::drain const& a);
    void on(node& n, failover::resume_writes const& a);
    void on(node& n, failover::fence const& a);
    void on(node& n, failover::start_database const& a);
    void on(node& n, failover::follow const& a);
    void on(node& n, failover::checkpoint const& a);
    void on(node& n, failover::quarantine const& a);
    void on(node& n, failover::resync const& a);
    void at_database(node& n, std::function<void()> what);
    void done(node& n, std::uint64_t op, failover::outcome result, std::string detail = {});
    failover::database_facts facts_of(node& n);
    void promote_now(node& n, failover::promote const& a);
    void drain_turn(node& n, failover::drain const& a, ticks until, std::uint64_t life);

    // machines.cpp: processes that live and die, replication, guard, clients
    void start_db(node& n);
    void kill_db(node& n);
    void freeze_db(node& n, bool frozen);
    void freeze_daemon(node& n, bool frozen);
    void freeze_guard(node& n, bool frozen);
    void kill_daemon(node& n);
    void kill_guard(node& n);
    void guard_timer(node& n);
    void guard_strikes(node& n);
    void stream(node& replica);
    void acknowledge(node& primary);
    [[nodiscard]] std::size_t good_replicas(node const& primary) const;
    void client(node& n);
    void mind_holes(node& n);

    // weather.cpp: what goes wrong, and the heal
    void plan_weather();
    void episode(ticks length);
    // storms.cpp
    void outage(ticks length);
    void take_turns(std::size_t v, ticks length);
    void lose_replica_twice(node& primary, std::size_t other);
    void watch_raise(node& primary, std::size_t other, ticks until);
    void change_members(std::string const& without);
    void heal();
    void operator_helps();

    // check.cpp
    void check();
    void check_promotion(node& n);
    void check_publish(node& n);
    void check_drain(node& n);
    void check_outage();
    [[nodiscard]] std::string unconverged();
    [[nodiscard]] std::string standing() const;
    void violated(std::string what);
    [[nodiscard]] bool excusable(node const& n) const;

    settings const settings_;
    dice dice_;
    event_queue queue_;
    consul consul_;
    std::vector<std::unique_ptr<node>> nodes_;
    std::vector<std::vector<bool>> cut_;
    std::vector<bool> acked_;    // by write id
    std::vector<bool> excused_;  // by write id: lost where the protocol says so
    write_id last_write_ = 0;
    std::uint64_t histories_ = 0;
    bool healed_ = false;
    bool stale_ = false;   // blocking queries are answered by a server that lags
    unsigned deaths_ = 0;  // databases that were killed or told to step down
    bool clients_stopped_ = false;
    bool forged_ = false;  // Consul was restored: its endpoint may be an old one
    tally tally_;
    std::string violation_;
    std::vector<std::string> schedule_;
    std::uint64_t hash_ = 1469598103934665603ULL;
};

}  // namespace bevmesh::sim
