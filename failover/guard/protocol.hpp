// What daemon and guard say to each other: fixed messages over a SOCK_SEQPACKET unix socket.
//
// One request, one answer, both trivially copyable and cut behind the blob's used part, so that the
// guard needs no memory to read or write one. Both ends are on one host; after an upgrade they can
// be of different versions, so magic, version and size are checked before a field is believed.
// Instants are CLOCK_BOOTTIME in nanoseconds, the same clock for every process of the host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "mesh/base/time.hpp"

namespace bevmesh::failover::guard {

enum class verb : std::uint16_t {
    hello,   // this is the daemon: every other that said so is dropped
    arm,     // hold this process, kill it at the deadline
    extend,  // a renewal or a round of promises was committed
    forget,  // the process is nobody's primary any more
    fence,   // kill now; the answer comes at once, the death shows in status
    status,  // asked by anybody who may connect; changes nothing
};

enum class verdict : std::uint16_t {
    done,
    bad_message,       // not our protocol, another version, a field out of bounds
    not_the_daemon,    // said no hello, or a newer daemon did
    not_armed,         // nothing is held
    already_dead,      // what is held has died
    too_late,          // the deadline is past: it is being killed
    out_of_range,      // a deadline in the past, or beyond the horizon
    other_victim,      // another process is held and lives: forget it first
    no_such_process,   // gone, or its pid is another process's by now
    not_whole,         // neither the init of a PID namespace nor given with its cgroup
    forbidden_victim,  // PID 1, the guard or the daemon, alone or in the cgroup
    no_such_cgroup,    // the directory is none, or the process is not in it
    no_watchdog,       // the kernel's watchdog was asked for and cannot be had
};

/// For the failure's sentence: "its pid belongs to another process by now".
[[nodiscard]] std::string_view text(verdict v) noexcept;

enum class phase : std::uint16_t { idle, armed, killing, dead };
[[nodiscard]] std::string_view text(phase p) noexcept;

enum class death : std::uint16_t { none, deadline, asked, by_itself };
[[nodiscard]] std::string_view text(death d) noexcept;

/// A process that was meant. A pid alone says nothing: it may be another's by now.
struct victim_id {
    std::int32_t pid = 0;
    /// 1: only this process, whatever else runs with it (for a server that is one process).
    std::uint32_t alone = 0;
    /// Field 22 of /proc/PID/stat; 0 with a pidfd: whom that means.
    std::uint64_t start_ticks = 0;
    /// Directory of the unit's cgroup, absolute; empty: the process is a container's init.
    std::array<char, 256> cgroup{};

    friend bool operator==(victim_id const&, victim_id const&) = default;
};

/// Until when the process may live: it is dead `margin` before `deadline`, which is valid_until.
struct term {
    std::int64_t deadline_ns = 0;
    std::int64_t margin_ns = 0;

    friend bool operator==(term const&, term const&) = default;
};

inline constexpr std::size_t blob_size_max = 4096;
inline constexpr std::uint32_t keep_blob = 0xffff'ffff;  // as blob_size: leave what is there
inline constexpr std::uint32_t magic = 0x6276'6764;      // "bvgd"
inline constexpr std::uint16_t version = 1;

struct request {
    std::uint32_t magic = guard::magic;
    std::uint16_t version = guard::version;
    verb what = verb::status;
    std::uint64_t number = 0;  // comes back in the answer
    victim_id victim;          // arm
    guard::term term;          // arm, extend
    /// extend: 1 lets the deadline move back, as when a planned restart's longer term is replaced
    /// by an ordinary one. Otherwise an earlier deadline changes nothing.
    std::uint32_t shorten = 0;
    std::uint32_t blob_size = keep_blob;
    std::array<char, blob_size_max> blob{};
};

struct answer {
    std::uint32_t magic = guard::magic;
    std::uint16_t version = guard::version;
    verdict said = verdict::done;
    std::uint64_t number = 0;
    std::array<char, 40> guard_id{};  // 32 hex digits, random at the guard's start
    std::array<char, 64> group{};
    std::int32_t guard_pid = 0;
    guard::phase phase = guard::phase::idle;
    guard::death cause = guard::death::none;
    std::int64_t now_ns = 0;
    victim_id victim;
    guard::term term;
    std::int64_t struck_ns = 0;      // the first SIGKILL
    std::int64_t dead_ns = 0;        // the death was seen
    std::int64_t late_max_ns = 0;    // how much later than asked the guard woke, at worst
    std::uint64_t locked_bytes = 0;  // memory that cannot be paged out
    std::uint32_t restored = 0;      // 1: taken over from a guard that died
    std::uint32_t realtime = 0;      // 1: runs as SCHED_FIFO
    std::uint32_t blob_size = 0;
    std::array<char, blob_size_max> blob{};
};

/// The bytes that go on the wire.
[[nodiscard]] std::span<char const> wire(request const& r) noexcept;
[[nodiscard]] std::span<char const> wire(answer const& a) noexcept;

/// False: the bytes are no such message, and `into` is undefined.
[[nodiscard]] bool read(std::span<char const> bytes, request& into) noexcept;
[[nodiscard]] bool read(std::span<char const> bytes, answer& into) noexcept;

/// Text in a fixed field; what does not fit is cut, the last byte is always 0.
template <std::size_t N>
void put_text(std::array<char, N>& field, std::string_view what) noexcept {
    auto const size = what.size() < N ? what.size() : N - 1;
    field.fill('\0');
    for (std::size_t i = 0; i < size; ++i)
        field[i] = what[i];
}

template <std::size_t N>
[[nodiscard]] std::string_view get_text(std::array<char, N> const& field) noexcept {
    std::string_view const whole(field.data(), N);
    return whole.substr(0, whole.find('\0'));
}

[[nodiscard]] inline instant to_instant(std::int64_t ns) noexcept {
    return instant(nanoseconds(ns));
}
[[nodiscard]] inline std::int64_t to_wire(instant t) noexcept {
    return t.time_since_epoch().count();
}

}  // namespace bevmesh::failover::guard
