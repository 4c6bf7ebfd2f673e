// What a guard holds and what may change it: the rules, without a process, a socket or a clock.
//
// armed → killing → dead is one way. A deadline that is past cannot be extended, also when the
// guard itself was late: every call looks at the time first, so that a guard that wakes from a
// freeze with an extension in its socket kills. An earlier deadline than the one in force changes
// nothing unless it is said to be meant.
#pragma once

#include "failover/guard/protocol.hpp"

namespace bevmesh::failover::guard {

class custody {
public:
    /// How far away a deadline may be: what is beyond it is a bug or another machine's clock.
    static constexpr auto horizon = std::chrono::minutes(15);

    /// Whether `arm` may go on to open the process; nothing changes.
    [[nodiscard]] verdict may_arm(instant now, victim_id const& victim, term const& until);
    /// After may_arm, and after the process was found to be the one that was meant.
    void arm(victim_id const& victim, term const& until) noexcept;
    [[nodiscard]] verdict extend(instant now, term const& until, bool shorten);
    [[nodiscard]] verdict forget(instant now);
    [[nodiscard]] verdict fence(instant now);

    /// True once, when the deadline has come: strike now.
    [[nodiscard]] bool due(instant now);
    /// The process, and its cgroup if it has one, is gone.
    void died(instant now) noexcept;
    void struck(instant now) noexcept;
    /// What a guard that died left behind; its `killing` is taken up again.
    void restore(phase was, victim_id const& victim, term const& until) noexcept;

    [[nodiscard]] guard::phase phase() const noexcept { return phase_; }
    [[nodiscard]] victim_id const& victim() const noexcept { return victim_; }
    [[nodiscard]] guard::term const& term() const noexcept { return term_; }
    [[nodiscard]] death cause() const noexcept { return cause_; }
    [[nodiscard]] instant struck_at() const noexcept { return struck_; }
    [[nodiscard]] instant dead_at() const noexcept { return dead_; }
    /// When to wake; only while armed.
    [[nodiscard]] instant kill_at() const noexcept { return kill_time(term_); }
    [[nodiscard]] bool holds_a_process() const noexcept {
        return phase_ == phase::armed || phase_ == phase::killing;
    }

private:
    [[nodiscard]] static instant kill_time(guard::term const& t) noexcept;
    [[nodiscard]] static bool acceptable(instant now, guard::term const& until) noexcept;

    guard::phase phase_ = phase::idle;
    victim_id victim_;
    guard::term term_;
    death cause_ = death::none;
    instant struck_{};
    instant dead_{};
};

}  // namespace bevmesh::failover::guard
