#include "certs/life.hpp"

#include <cstdint>

#include "mesh/base/fnv1a.hpp"
#include "mesh/base/random.hpp"

namespace bevmesh::certs {
namespace {

struct span {
    wall_time begin;
    seconds length;
};

span life_of(leaf const& of, life_policy const& p) {
    auto const begin = of.not_before + p.backdated;
    if (begin < of.not_after) return {begin, of.not_after - begin};
    return {of.not_before, of.not_after - of.not_before};
}

wall_time at(leaf const& of, life_policy const& p, std::uint64_t millionths) {
    auto const life = life_of(of, p);
    return life.begin +
           seconds(life.length.count() * static_cast<std::int64_t>(millionths) / 1'000'000);
}

/// FNV-1a, and splitmix64 over it: of short texts alone its high bits hardly differ.
std::uint64_t hash(std::string_view identity, std::string_view serial) {
    fnv1a h;
    for (auto const text : {identity, std::string_view("|"), serial})
        h.add(text);
    return random_source(h.value()).next();
}

}  // namespace

wall_time renew_at(leaf const& of, std::string_view identity, life_policy const& p) {
    std::uint64_t const width = (p.latest - p.earliest) * 1'000ULL;
    auto const offset = hash(identity, of.serial) % (width + 1);
    return at(of, p, p.earliest * 1'000ULL + offset);
}

wall_time hard_at(leaf const& of, life_policy const& p) {
    return at(of, p, p.hard * 1'000ULL);
}

nearness how_near(leaf const& of, std::string_view identity, wall_time now, life_policy const& p) {
    if (now >= of.not_after) return nearness::ended;
    if (now >= at(of, p, 950'000)) return nearness::last;
    if (now >= hard_at(of, p)) return nearness::hard;
    if (now >= renew_at(of, identity, p)) return nearness::due;
    return nearness::far;
}

std::string_view name(nearness n) noexcept {
    switch (n) {
        case nearness::far:
            return "far";
        case nearness::due:
            return "due";
        case nearness::hard:
            return "hard";
        case nearness::last:
            return "last";
        case nearness::ended:
            return "ended";
    }
    return "unknown";
}

}  // namespace bevmesh::certs
