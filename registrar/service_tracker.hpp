// One service on its way into Consul and kept true there. Pure.
//
// A service that is not there yet, or changed, passes a gate: its entry in Consul is looked up (a
// foreign one may have appeared) and its probes run. It is announced passing when they pass, or
// critical when `announce_wait` is over; one that had to be announced critical is probed on, and
// when it first passes its checks are born again as passing, because Consul itself would look again
// only after its interval. At most one write is under way at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registrar/event.hpp"

namespace bevmesh::registrar {

class service_tracker {
public:
    /// What a decision depends on beside the service itself.
    struct surroundings {
        observed const& agent;
        std::string_view instance;
        bool may_remove;               // a whole pass over Docker has succeeded
        std::string_view maintenance;  // an admin's reason; empty: not asked for
        instant now;
    };

    explicit service_tracker(std::string id) : id_(std::move(id)) {}

    /// True when the claim is new or differs.
    bool claim(std::string const& by, registration const& wanted);
    void drop_claim(std::string const& by) { claims_.erase(by); }
    /// Of several containers that want this ID, the one started last; null when none does.
    [[nodiscard]] registration const* wanted() const;

    /// The entry in `surroundings::agent` is as new as can be: settle at once.
    void on_looked_up() { fresh_ = std::exchange(looking_up_, false); }
    void on_look_up_failed(instant retry_at);
    /// The agent restarted: checks that it restored are critical until it runs them again.
    void on_agent_lost();
    void on_probed(probed const& e, instant now);
    /// The write that was under way; it may have had no effect.
    [[nodiscard]] std::optional<action> end_write() { return std::exchange(writing_, {}); }
    void on_write_done(action const& what, instant now);
    void on_write_failed(instant retry_at, std::string detail);
    [[nodiscard]] unsigned failures() const { return failures_; }

    /// Appends what to do now; returns when to be asked again even if nothing happens.
    std::optional<instant> settle(surroundings const& s, std::vector<action>& out);

    /// A request of this service is under way.
    [[nodiscard]] bool busy() const;
    /// Nothing to do and nobody to do it for.
    [[nodiscard]] bool finished() const { return claims_.empty() && !busy() && !not_before_; }
    /// As wanted. A service that was announced critical may still be probed.
    [[nodiscard]] bool at_rest() const;
    /// "announced", "announcing", ... and why, for people.
    [[nodiscard]] std::pair<std::string, std::string> phase(observed const& agent) const;

private:
    /// What our own probes know of one check.
    struct probe_state {
        bool under_way = false;
        std::optional<bool> passing;  // in the present round
        std::string detail;
        unsigned successes = 0;  // in a row
        unsigned failures = 0;
        consul::status status = consul::status::critical;  // after thresholds
        std::optional<instant> next;                       // of a check that we report
    };
    enum class gate { shut, passed, given_up };

    void remove(surroundings const& s, std::vector<action>& out);
    void bring(registration const& wanted, surroundings const& s, std::vector<action>& out);
    void keep(registration const& wanted, surroundings const& s, std::vector<action>& out);
    bool keep_maintenance(registration const& wanted, surroundings const& s,
                          std::vector<action>& out);
    bool keep_reports(registration const& wanted, surroundings const& s, std::vector<action>& out);
    void probe_for_reports(registration const& wanted, surroundings const& s,
                           std::vector<action>& out);
    void probe_for_rebirth(registration const& wanted, surroundings const& s,
                           std::vector<action>& out);
    gate pass_gate(registration const& wanted, std::string const& key, surroundings const& s,
                   std::vector<action>& out);
    void open_round(registration const& wanted, std::string const& key, surroundings const& s,
                    std::vector<action>& out);
    void run_failing(registration const& wanted, std::vector<action>& out);
    void run(wanted_check const& check, std::vector<action>& out);
    bool look_first(std::vector<action>& out);
    /// Its state at birth is what our own probe says.
    [[nodiscard]] static bool probed_for_birth(wanted_check const& check);
    [[nodiscard]] bool all_pass(registration const& wanted) const;
    [[nodiscard]] bool any_probe_under_way() const;
    void write_registration(registration const& wanted, std::string why, bool reborn,
                            surroundings const& s, std::vector<action>& out);
    void write(action what, std::vector<action>& out);
    [[nodiscard]] consul::status state_of(wanted_check const& check,
                                          registration const& wanted) const;
    void complain(std::string code, std::string text, std::vector<action>& out);
    void wake(instant at) { wake_ = wake_ ? std::min(*wake_, at) : at; }

    std::string id_;
    std::map<std::string, registration> claims_;  // by container ID, "" for the node's own
    std::map<std::string, probe_state> probes_;   // by check ID
    std::map<std::string, instant> reported_at_;  // by check ID
    std::string gate_;         // hash of what is being announced, or "lift"; empty: nothing
    std::uint64_t round_ = 0;  // answers to probes of earlier rounds are ignored
    unsigned attempts_ = 0;
    instant gate_until_{};
    instant starting_until_{};         // probed often until then
    std::optional<instant> probe_at_;  // the next attempt of the gate, or of a rebirth
    bool looking_up_ = false;
    bool fresh_ = false;  // looked up since the last settle
    std::optional<action> writing_;
    unsigned failures_ = 0;
    std::optional<instant> not_before_;
    std::string failure_;   // why the last write failed
    bool unproven_ = true;  // Consul's checks have not been seen passing, nor born so

    std::string complaint_;  // made last, so that it is made once
    std::optional<instant> wake_;
};

}  // namespace bevmesh::registrar
