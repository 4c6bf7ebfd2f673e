// A model of Consul as its contract has it: one entry and one endpoint, changed in transactions.
//
// Indexes grow, but a restore puts an old entry back with its old index, and may let indexes
// repeat. Whether a request gets here and its answer gets back is the network's business, not this
// file's.
#pragma once

#include <optional>
#include <string>

#include "failover/action.hpp"
#include "tests/sim/queue.hpp"

namespace bevmesh::sim {

struct consul_entry {
    std::uint64_t index = 0;
    std::optional<failover::lease_record> record;
    std::string endpoint;  // the node that `GROUP-primary` names; empty: none

    friend bool operator==(consul_entry const&, consul_entry const&) = default;
};

class consul {
public:
    /// The new index; empty: 409.
    std::optional<std::uint64_t> write(failover::write_record const& w, dice& d);
    void remove(dice& d);
    /// The same content, written by an operator.
    void touch(dice& d);
    void snapshot() { snapshot_ = entry_; }
    void restore(dice& d);

    [[nodiscard]] consul_entry const& entry() const { return entry_; }
    [[nodiscard]] consul_entry const& before() const { return before_; }

    bool available = true;

private:
    std::uint64_t next_index(dice& d);

    consul_entry entry_;
    consul_entry before_;
    std::optional<consul_entry> snapshot_;
    std::uint64_t raft_ = 100;
};

}  // namespace bevmesh::sim
