// From the configuration of a group to the policy of one member, and the defaults that this takes.
//
// Pure. The validator calls it for every member, so that what the daemon makes of a document is
// what `bevmesh config validate` has judged.
#pragma once

#include <map>
#include <string>

#include "failover/policy.hpp"
#include "mesh/base/failover_config.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover {

/// One member's database as it is meant: its own keys over the group's over the defaults.
struct placement {
    std::string container;
    std::string unit;     // where no container is meant
    std::string address;  // empty: the node's
    std::uint16_t port = 0;
    std::string data_dir;
    std::string quarantine_dir;

    friend bool operator==(placement const&, placement const&) = default;
};

[[nodiscard]] kind kind_of(failover_group_config const& group);
/// The profile with the group's own durations in place of its.
[[nodiscard]] timing timing_of(failover_group_config const& group);
[[nodiscard]] placement placement_of(failover_group_config const& group, std::string const& node);

/// errc::bad_input with a sentence that shows the sum, when an inequality of the protocol is
/// broken.
[[nodiscard]] result<policy> policy_of(failover_group_config const& group, std::string const& node);

}  // namespace bevmesh::failover
