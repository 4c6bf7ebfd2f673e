// The metrics of the failover groups that this node is a member of.
#pragma once

namespace bevmesh::daemon {

class failover_groups;
class families;

void add_failover(families& to, failover_groups const& groups);

}  // namespace bevmesh::daemon
