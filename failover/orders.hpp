// What people have ordered and every daemon must remember: a pause, and a switchover to come. Pure.
//
// One entry of Consul's KV for each group and one for the mesh, so that an order outlives the
// daemons and is given once, on any node. Times are UTC, because they go between people, nodes and
// restarts: a node whose clock is wrong is wrong about these two by as much, and about nothing
// else.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::failover {

/// Seconds and milliseconds since 1970, UTC.
using utc = std::chrono::sys_time<milliseconds>;

/// Nothing moves by itself until then; the lease is kept.
struct pause_order {
    utc until{};
    std::string by;  // node and user, for people

    friend bool operator==(pause_order const&, pause_order const&) = default;
};

struct later_switchover {
    std::string id;    // it is carried out once, see lease_record::order_done
    std::string node;  // who is to be primary
    utc at{};
    std::string by;

    friend bool operator==(later_switchover const&, later_switchover const&) = default;
};

struct standing_orders {
    std::optional<pause_order> pause;
    std::optional<later_switchover> switchover;  // of a group, never of the mesh

    friend bool operator==(standing_orders const&, standing_orders const&) = default;
};

/// What is left of the longer pause; zero: none.
[[nodiscard]] nanoseconds pause_left(standing_orders const& group, standing_orders const& mesh,
                                     utc now);

enum class moment {
    early,   // not yet
    due,     // from `at` on, tried again for `late_max`
    missed,  // nobody could: it is given up, so that it does not come as a surprise later
};
inline constexpr seconds late_max{60};
[[nodiscard]] moment moment_of(later_switchover const& order, utc now);

/// "bevmesh/failover/.orders/GROUP"; for the mesh, which no group can be called, "*".
[[nodiscard]] std::string orders_key(std::string_view group);
inline constexpr std::string_view whole_mesh = "*";

[[nodiscard]] std::string encode(standing_orders const& orders);
/// errc::bad_answer where the entry is none of ours.
[[nodiscard]] result<standing_orders> decode_orders(std::string_view text);

/// "2026-11-28T02:30:00Z"
[[nodiscard]] std::string to_text(utc when);
/// As to_text() writes it; the seconds may be missing, and a space may stand for the T.
/// errc::bad_input: what was expected.
[[nodiscard]] result<utc> read_utc(std::string_view text);

}  // namespace bevmesh::failover
