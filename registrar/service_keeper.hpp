// Consul's side of the reconciler, pure: all services, and what the local agent holds.
//
// The agent is read whole at the start, after each loss and each resync interval; between these our
// own writes are applied to what was read. A write whose outcome is not known makes the state
// unknown and leads to a new list. What one service needs is service_tracker's matter.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mesh/base/backoff.hpp"
#include "registrar/service_tracker.hpp"

namespace bevmesh::registrar {

/// A service as this node's registrar sees it, for the API.
struct service_view {
    std::string id;
    std::string name;
    std::string container;
    std::string source;
    std::string phase;  // announced, announcing, removing, refused, failing
    std::string detail;
};

struct keeper_counters {
    std::uint64_t registrations = 0;
    std::uint64_t deregistrations = 0;
    std::uint64_t reports = 0;
    std::uint64_t maintenance_changes = 0;
    std::uint64_t write_errors = 0;

    friend bool operator==(keeper_counters const&, keeper_counters const&) = default;
};

class service_keeper {
public:
    explicit service_keeper(std::string instance) : instance_(std::move(instance)) {}

    /// Everything that `by` (a container ID, or "" for the node) wants; replaces what it wanted.
    void claim(std::string const& by, std::vector<registration> const& wanted);
    /// Entries of ours that nobody claims may be removed from now on.
    void allow_removals();
    /// The agent is read now, not when the present interval or backoff ends.
    void look_now(instant now) { agent_at_ = now; }
    /// An admin's wish, by service name or ID. Empty reason: off.
    void want_maintenance(std::string const& service, std::string const& reason);

    void on_agent_listed(agent_listed const& e);
    void on_agent_failed(instant now, random_source& random);
    void on_looked_up(looked_up const& e);
    void on_look_up_failed(look_up_failed const& e, instant now, random_source& random);
    void on_probed(probed const& e, instant now);
    void on_written(written const& e, instant now, random_source& random);

    /// Appends everything that is due; call after each event.
    void settle(instant now, milliseconds resync, random_source& random, std::vector<action>& out);

    [[nodiscard]] std::optional<instant> next_wake() const;
    /// The agent is known and every service is as wanted.
    [[nodiscard]] bool idle() const;
    [[nodiscard]] bool agent_known() const { return agent_known_; }
    [[nodiscard]] std::vector<service_view> view() const;
    [[nodiscard]] keeper_counters const& counters() const { return counters_; }
    [[nodiscard]] std::map<std::string, std::string> const& maintenance() const {
        return maintenance_;
    }

private:
    struct entry {
        service_tracker tracker;
        std::optional<instant> timer;
    };

    /// Keeps busy_ right over a change of one tracker.
    class change;

    entry& at(std::string const& id);
    void apply(action const& what);
    [[nodiscard]] std::string_view asked_maintenance(service_tracker const& t,
                                                     std::string const& id) const;
    void touch_all();
    void set_timer(std::string const& id, entry& e, std::optional<instant> wake);

    /// Services with a request of theirs under way at once: beyond it a cold start of a thousand
    /// would wait in the clients' queues while their announce_wait runs out.
    static constexpr std::size_t busy_max = 32;

    std::string instance_;
    observed agent_;
    bool agent_known_ = false;
    bool agent_listing_ = false;
    bool removals_ = false;
    unsigned agent_failures_ = 0;
    std::optional<instant> agent_at_{instant{}};  // when to list; the first time at once

    std::map<std::string, entry> services_;
    std::map<std::string, std::set<std::string>> claimed_;  // claimant → service IDs
    std::map<std::string, std::string> maintenance_;        // name or ID → reason
    std::set<std::string> dirty_;
    std::set<std::string> urgent_;   // just looked up: settled before anything can change again
    std::set<std::string> written_;  // since the agent was asked for its list: newer than that
    std::set<std::pair<instant, std::string>> timers_;
    std::size_t busy_ = 0;
    keeper_counters counters_;
};

}  // namespace bevmesh::registrar
