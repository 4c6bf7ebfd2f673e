// All that the core of one group remembers: a value, copied and compared as one.
//
// What is told by others (`seen`, `peers`, `database`) is kept apart from what this node claims
// (`hold`, `attempts`): only the second gives a right to act.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "failover/event.hpp"
#include "failover/facts.hpp"
#include "failover/record.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::failover {

enum class stage {
    observing,       // holds nothing
    consulting,      // may take: the hook and fresh reports are awaited
    taking,          // a take is out, or its outcome is not known
    ending_streams,  // holds the lease from here on
    arming,
    promoting,
    proving,
    publishing,
    serving,
    withdrawing,  // planned: the endpoint goes, still serving
    draining,     // planned: no write any more, the target gets the last ones
    fencing,      // no write may happen any more: ordered, not yet confirmed
    forgetting,   // fenced: the guard is told to forget
    releasing,    // fenced and forgotten: the release is written
};
[[nodiscard]] std::string_view name(stage s) noexcept;

/// An action that is under way. `op` 0: none is.
struct errand {
    std::uint64_t op = 0;
    instant sent{};
    instant give_up{};

    [[nodiscard]] bool out(instant now) const { return op != 0 && now < give_up; }
    /// True when `answered` is the answer; the errand is over then.
    bool take(std::uint64_t answered) {
        if (op == 0 || op != answered) return false;
        op = 0;
        return true;
    }
    friend bool operator==(errand const&, errand const&) = default;
};

enum class intent { renew, take, release, expire };

/// A write of ours whose outcome is not known.
struct attempt {
    intent what = intent::renew;
    lease_record record;
    std::uint64_t base = 0;
    std::string base_id;  // the write_id at `base`: indexes may repeat after a restore
    instant sent{};
    bool overdue = false;  // answered as unknown, or not answered within R

    friend bool operator==(attempt const&, attempt const&) = default;
};

/// The entry as last received.
struct sighting {
    bool any = false;                  // something was received in this life
    std::vector<std::string> members;  // of the last record, also when the key is gone since
    std::uint64_t index = 0;
    std::optional<lease_record> record;
    std::string unreadable;
    instant changed{};  // when this content was received first
    instant heard{};    // when Consul last answered
    /// The change to released or expired was seen as it happened: only then is it permission
    /// without a wait. A restored entry is not.
    bool witnessed = false;

    friend bool operator==(sighting const&, sighting const&) = default;
};

/// The lease as we hold it: our chain of writes, and until when it is good.
struct holding {
    std::uint64_t index = 0;  // head of the chain: our newest write known to be committed
    lease_record record;      // and its content
    instant renewed{};        // when the newest committed attempt was sent
    instant last_sent{};      // the newest renewal
    instant checked{};        // when a consistent read last told whether the head still stands
    instant basis{};          // that, or the newest complete round of promises
    instant valid_until{};
    bool inherited = false;  // from the guard: no own renewal was committed yet
    bool by_read = false;    // the head was learned by reading, not from its answer
    instant promotable{};    // promote only after a renewal sent at or after it
    /// A record that does not continue the chain stands in the entry since then.
    std::optional<instant> foreign;

    friend bool operator==(holding const&, holding const&) = default;
};

struct promise_round {
    std::string id;  // empty: none is out
    instant sent{};
    std::vector<std::string> waiting;

    friend bool operator==(promise_round const&, promise_round const&) = default;
};

struct peer_view {
    errand question;
    instant asked_next{};
    std::optional<member_report> report;
    instant asked{};  // when the question that `report` answers was sent
    /// Between two reports its position advanced: when the earlier one was asked for, newest such.
    std::optional<instant> advanced;
    instant promised_until{};  // by us, to it
    bool answers = false;      // it answered the last question

    friend bool operator==(peer_view const&, peer_view const&) = default;
};

/// The server's gate against the record's in_sync.
struct gate_view {
    bool known = false;  // `now` is what the server has
    gate_setting now;
    gate_setting asked;  // by the set_gate that is out
    errand setting;
    std::map<std::string, position> floors;  // replicas being raised: past this they are in sync
    std::map<std::string, instant> silent;   // in-sync replicas that do not stream, since when
    /// The server may be relaxed to record.in_sync: the newest attempt was *answered*.
    bool may_relax = false;
    /// Named by writes that met a conflict: until another one is committed, those may stand in the
    /// entry all the same, and the server waits for whom they name.
    std::vector<std::string> doubted;

    friend bool operator==(gate_view const&, gate_view const&) = default;
};

struct database_view {
    bool any = false;
    database_facts facts;
    instant asked{};  // the facts are not older
    errand probing;
    instant probe_next{};
    std::optional<instant> silent_since;  // hung
    std::optional<instant> refused_since;
    unsigned write_failures = 0;
    std::string dead;                   // the process that was seen to die last
    std::optional<instant> down_since;  // seen to die, and not well since

    friend bool operator==(database_view const&, database_view const&) = default;
};

/// What a fence is for.
enum class afterwards {
    nothing,  // somebody else holds the lease
    resume,   // take it again when it can be renewed
    release,  // let another one take it
};

struct leaving {
    afterwards then = afterwards::nothing;
    std::string why;
    std::string process;  // that is to be fenced
    bool dead = false;    // it was seen dead
    bool kill = false;
    std::string target;  // planned
    position at = 0;
    bool planned = false;
    instant since{};
    instant guard_until{};  // the guard's last deadline: past it, it remembers nothing

    friend bool operator==(leaving const&, leaving const&) = default;
};

struct switching {
    std::string target;
    std::string id;
    bool hooked = false;
    instant since{};

    friend bool operator==(switching const&, switching const&) = default;
};

struct rejoining {
    enum class phase { none, quarantine, resync };
    phase at = phase::none;
    std::string upstream;
    unsigned failures = 0;  // in a row, of the copy or of what follows it
    instant next{};         // not tried again before

    friend bool operator==(rejoining const&, rejoining const&) = default;
};

struct state {
    std::string incarnation;
    std::uint64_t last_op = 0;
    std::uint64_t last_write = 0;
    std::uint64_t last_round = 0;
    instant now{};            // of the newest event
    instant wake{};           // the tick that was asked for
    instant waiting_until{};  // boot wait: nothing is taken before
    instant waiting_since{};  // no probe older than this is acted on

    std::string guard_id;
    std::string process;         // the one that we lead, or are about to
    std::string armed;           // the process that the guard holds
    instant armed_until{};       // and the deadline that it confirmed
    std::string arming;          // the process of the arm_guard that is out
    bool promised_only = false;  // a fault of the simulator: the guard is not told

    stage at = stage::observing;
    instant at_since{};
    sighting seen;
    std::vector<attempt> attempts;
    std::optional<holding> hold;
    std::uint64_t released_index = 0;  // promote only on a write committed above it
    promise_round round;
    std::map<std::string, peer_view> peers;
    database_view database;
    gate_view gate;
    leaving leave;
    std::optional<switching> moving;
    rejoining rejoin;
    std::string following;  // the upstream of the newest follow or fence

    // errands, one of a kind
    errand read, arm, extend, forget, streams, fencing, promotion, proof, drainage, resumption,
        start, repoint, hook, copy, discard, check;
    bool promotion_open = false;  // a promote may still reach the database
    std::string promotion_loose;  // the process that a promote without an answer may still reach
    bool paused = false;          // a drain may have left the writes of our process waiting
    instant read_next{};
    instant fence_next{};
    instant extend_until{};  // what the extension that is out will confirm

    // taking
    std::string permission;  // in words, while consulting and taking
    bool hook_passed = false;
    instant not_before{};         // after a promotion that failed, or a veto
    unsigned failures = 0;        // promotions that failed in a row
    std::optional<ordered> wish;  // promote or init, as the operator wants
    instant wish_until{};
    instant restart_until{};
    bool fence_failed = false;  // of a stray primary
    instant follow_next{};
    instant start_next{};
    unsigned start_failures = 0;  // in a row

    // damping and pause
    std::uint64_t automatic = 0;
    instant automatic_seen{};
    instant paused_until{};
    std::uint64_t epoch_seen = 0;
    std::string epoch_holder;  // whose the highest epoch is
    std::uint64_t acked = 0;
    bool marked_expired = false;  // no promise from then on, until the entry is held again
    instant stable_since{};
    bool restart_asked = false;
    std::string told;  // the last standing reason, so that it is told once

    /// `which` is the process that is being fenced.
    [[nodiscard]] bool leaves_process(std::string const& which) const {
        return at >= stage::fencing && !which.empty() && leave.process == which;
    }

    friend bool operator==(state const&, state const&) = default;
};

}  // namespace bevmesh::failover
