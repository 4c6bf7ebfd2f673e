// The guard's state in a file of /run, mapped and locked: a guard that died is taken over from.
//
// Writing is storing to memory, no call and no allocation. Two slots with a sequence and a checksum
// take turns, so that a guard killed in the middle of a store leaves the one before. The file also
// is the lock that makes sure of one guard a group. It names the boot, as its instants do not
// outlive it.
#pragma once

#include <optional>
#include <string>

#include "failover/guard/process.hpp"
#include "failover/guard/protocol.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::guard {

struct saved_state {
    guard::phase phase = guard::phase::idle;
    victim_id victim;
    guard::term term;
    /// The daemon that armed: whether it lives decides if another must fence.
    std::int32_t daemon_pid = 0;
    std::uint64_t daemon_start_ticks = 0;
    std::uint32_t blob_size = 0;
    std::array<char, blob_size_max> blob{};
};

class state_file {
public:
    state_file() = default;
    state_file(state_file&& other) noexcept;
    state_file& operator=(state_file&& other) noexcept;
    ~state_file();

    /// errc::conflict: another guard has it. Born with mode 0600.
    [[nodiscard]] static result<state_file> open(std::string const& path);
    /// For who must fence after the guard: does not lock, errc::not_found when there is none or it
    /// is of another boot. An idle state is one.
    [[nodiscard]] static result<saved_state> look(std::string const& path);

    /// The newest whole slot of this boot.
    [[nodiscard]] std::optional<saved_state> load() const noexcept;
    void save(saved_state const& state) noexcept;

private:
    struct layout;
    descriptor file_;
    layout* mapped_ = nullptr;
};

}  // namespace bevmesh::failover::guard
