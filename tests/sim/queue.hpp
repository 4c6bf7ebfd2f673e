// Virtual time: what happens next, in an order that a seed decides and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "mesh/base/random.hpp"

namespace bevmesh::sim {

using ticks = std::int64_t;  // nanoseconds of true time since the start of the run

inline constexpr ticks ms = 1'000'000;

class event_queue {
public:
    [[nodiscard]] ticks now() const noexcept { return now_; }

    void at(ticks when, std::function<void()> what) {
        queue_.push({when < now_ ? now_ : when, ++last_, std::move(what)});
    }
    void in(ticks delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

    /// False: nothing is left before `end`, and it is `end`.
    bool run_one(ticks end) {
        if (queue_.empty() || queue_.top().when > end) {
            now_ = end;
            return false;
        }
        auto what = std::move(const_cast<entry&>(queue_.top()).what);
        now_ = queue_.top().when;
        queue_.pop();
        what();
        return true;
    }

private:
    struct entry {
        ticks when;
        std::uint64_t order;
        std::function<void()> what;

        bool operator<(entry const& other) const {
            return when != other.when ? when > other.when : order > other.order;
        }
    };

    std::priority_queue<entry> queue_;
    ticks now_ = 0;
    std::uint64_t last_ = 0;
};

/// Seeded choices. Not the standard library's distributions: they differ between libraries.
class dice {
public:
    explicit dice(std::uint64_t seed) : source_(seed) {}

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return source_.below(bound); }
    [[nodiscard]] ticks between(ticks low, ticks high) {
        if (high <= low) return low;
        return low + static_cast<ticks>(source_.below(static_cast<std::uint64_t>(high - low + 1)));
    }
    [[nodiscard]] bool percent(std::uint64_t chance) { return source_.below(100) < chance; }
    [[nodiscard]] bool permille(std::uint64_t chance) { return source_.below(1000) < chance; }
    template <class T>
    [[nodiscard]] T const& one_of(std::vector<T> const& all) {
        return all[source_.below(all.size())];
    }

private:
    random_source source_;
};

/// A node's CLOCK_BOOTTIME: runs at its own rate, and may be thrown.
class node_clock {
public:
    void set(ticks now, double rate) {
        base_ = read(now);
        since_ = now;
        rate_ = rate;
    }
    void jump(ticks now, ticks by) {
        base_ = read(now) + by;
        since_ = now;
    }
    [[nodiscard]] ticks read(ticks now) const {
        return base_ + static_cast<ticks>(static_cast<double>(now - since_) * rate_);
    }
    /// When this clock shows `local`.
    [[nodiscard]] ticks when(ticks local) const {
        return since_ + static_cast<ticks>(static_cast<double>(local - base_) / rate_) + 1;
    }

private:
    ticks base_ = 1'000'000'000;
    ticks since_ = 0;
    double rate_ = 1;
};

}  // namespace bevmesh::sim
