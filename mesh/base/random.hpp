// A seeded generator that gives the same numbers with every standard library.
//
// Passed by reference to pure code, so that a seed replays a whole run. It is for jitter and for
// simulation, never for keys or identifiers that must not be guessed.
#pragma once

#include <cstdint>

namespace bevmesh {

class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

    /// splitmix64 (Steele, Lea, Flood 2014).
    std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31U);
    }

    /// Uniform in [0, bound); bound must not be 0. The bias is below bound / 2^64.
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

    /// True with probability numerator / denominator.
    bool chance(std::uint64_t numerator, std::uint64_t denominator) noexcept {
        return below(denominator) < numerator;
    }

private:
    std::uint64_t state_;
};

}  // namespace bevmesh
