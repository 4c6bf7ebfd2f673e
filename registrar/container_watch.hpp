// Which containers there are: Docker's side of the reconciler, pure.
//
// Hints (events) lead to an inspect, the first at once, repeats of its kind within `debounce` as
// one (an engine says "connect" and then "start", and the second must not wait for the first). A
// full list follows each connect and each resync interval; a listed container is inspected unless
// its entry has the fingerprint of the last inspect, and a known one that the list lacks is
// inspected too: only Docker's own "no such container", or a state that serves nothing, takes a
// container away. That makes the order of list and event irrelevant.
//
// One exception: a "die" that is later than the start of the run last seen proves that this run has
// ended, and is believed at once. The engine tells it first and then holds the container until its
// network is torn down (20.10: 60 to 120 ms, in which an inspect waits and the list says running).
// The inspect still follows: it may find the container restarting, or running again.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mesh/base/backoff.hpp"
#include "registrar/event.hpp"

namespace bevmesh::registrar {

class container_watch {
public:
    explicit container_watch(registrar_config const& policy) : policy_(&policy) {}
    /// From now on by `policy`; containers are listed at once, not when the old interval ends.
    void reconfigure(registrar_config const& policy, instant now);

    // Each takes an event, appends what to do, and notes changed containers for take_changed().
    void on_engine_up(instant now, std::vector<action>& out);
    void on_engine_down();
    void on_listed(containers_listed const& e, instant now, std::vector<action>& out);
    void on_listing_failed(instant now, random_source& random);
    void on_hint(container_hint const& e, instant now, std::vector<action>& out);
    void on_inspected(docker::container const& c, instant now, std::vector<action>& out);
    void on_missing(std::string const& id, instant now, std::vector<action>& out);
    void on_inspection_failed(std::string const& id, instant now, random_source& random,
                              std::vector<action>& out);
    void on_tick(instant now, std::vector<action>& out);

    /// The container has a published port without a binding: look again after 50 ms, 200 ms, 1 s.
    void look_again(std::string const& id, instant now);

    /// Containers that appeared, changed or went since the last call.
    [[nodiscard]] std::set<std::string> take_changed() { return std::exchange(changed_, {}); }
    /// The last successful inspect; null for one that is gone or was never seen.
    [[nodiscard]] docker::container const* find(std::string_view id_or_name) const;
    [[nodiscard]] std::vector<std::string> ids() const;

    /// One whole pass has succeeded since the process started: absence means something.
    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] bool idle() const;
    [[nodiscard]] std::optional<instant> next_wake() const;
    [[nodiscard]] std::size_t size() const { return known_.size(); }

private:
    struct known {
        std::optional<docker::container> last;
        std::string fingerprint;         // of the list's entry that the last inspect covers
        std::string listed_fingerprint;  // to become `fingerprint` when the inspect succeeds
        std::string hinted;              // kind of the last hint
        std::string ended_run;           // started_at of a run that a "die" said has ended
        bool inspecting = false;
        bool again = false;  // a hint came while the inspect was under way
        std::optional<instant> inspected_at;
        std::optional<instant> look_at;
        unsigned late_looks = 0;
        unsigned failures = 0;
    };

    void want_inspect(std::string const& id, known& k, std::vector<action>& out);
    void pump(std::vector<action>& out);
    void done_inspecting(std::string const& id, known& k, instant now, std::vector<action>& out);
    void passed(std::string const& id, instant now);

    /// Inspects under way at once: the engine answers them one after another anyway.
    static constexpr std::size_t inspecting_max = 8;

    registrar_config const* policy_;
    std::map<std::string, known> known_;
    std::set<std::string> changed_;
    std::set<std::string> queue_;  // wait for a place among inspecting_max
    std::set<std::string> pass_;   // the pass in progress still waits for these
    std::size_t inspecting_ = 0;
    bool connected_ = false;
    bool listing_ = false;
    bool passing_ = false;
    bool complete_ = false;
    unsigned list_failures_ = 0;
    std::optional<instant> list_at_;
};

}  // namespace bevmesh::registrar
