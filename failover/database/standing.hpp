// A connection that stands from one look at a database to the next: what a look costs both sides is
// mostly its beginning (TLS, a password that is slow to check, for PostgreSQL a process).
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "mesh/net/deadline.hpp"

namespace bevmesh::failover::database {

template <class Session>
class standing {
public:
    /// After so long it is made anew: a server may answer on what is open and take nothing new, and
    /// files and passwords may be others.
    static constexpr std::chrono::seconds good_for{5};

    struct held {
        std::unique_ptr<Session> session;  // null: there is none
        net::steady_point until{};
    };

    /// What was kept and is still good, for the asker alone.
    [[nodiscard]] held take(net::steady_point now) {
        auto one = std::exchange(held_, held());
        return now < one.until ? std::move(one) : held();
    }
    /// One that has just been made.
    void keep(std::unique_ptr<Session> made, net::steady_point now) {
        held_ = {std::move(made), now + good_for};
    }
    /// One that was taken, and answered.
    void put_back(held one) { held_ = std::move(one); }

private:
    held held_;
};

}  // namespace bevmesh::failover::database
