// In which order certificates are replaced, so that the first ones that fail are few: one alone,
// then the rest of its node, then a quarter of all, then the others.
//
// Pure, and from what is done already alone: a rotation that was interrupted goes on where it was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::certs {

struct rotation_part {
    std::string node;
    std::string service;
    bool done = false;

    friend bool operator==(rotation_part const&, rotation_part const&) = default;
};

enum class wave { canary, node, quarter, rest };
[[nodiscard]] std::string_view name(wave w) noexcept;

struct rotation_wave {
    wave is = wave::canary;
    std::vector<std::size_t> parts;  // indices; empty: all are done
};

[[nodiscard]] rotation_wave next_wave(std::vector<rotation_part> const& all);

/// How far one of a wave is.
struct rotation_step {
    /// What is alike goes one after the other: the instances of a service, all that is restarted.
    std::string turn;
    enum { waiting, under_way, over } at = waiting;
};
constexpr std::size_t rotations_at_once = 16;

/// Whom to ask now, of `wave`, in its order: indices.
[[nodiscard]] std::vector<std::size_t> to_begin(std::vector<rotation_step> const& wave);

}  // namespace bevmesh::certs
