// What one failover group is made of on this node. Of the daemon's failover_groups alone.
#pragma once

#include "failover/driver/container.hpp"
#include "failover/driver/order_book.hpp"
#include "failover/driver/shared_history.hpp"
#include "mesh/daemon/failover.hpp"

namespace bevmesh::daemon {

namespace fo = failover;

struct failover_groups::group {
    std::unique_ptr<fo::lease_store> store;
    std::unique_ptr<fo::guard::client> keeper;
    std::unique_ptr<fo::housing> house;
    std::unique_ptr<fo::database_port> database;
    std::unique_ptr<fo::shared_history> told;  // before the journal, which tells it
    std::unique_ptr<fo::journal> history;
    std::unique_ptr<fo::driver> driver;
    std::unique_ptr<fo::order_book> orders;
    fo::service_address where;
};

}  // namespace bevmesh::daemon
