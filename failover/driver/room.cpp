#include "failover/driver/room.hpp"

#include "mesh/net/pool.hpp"

namespace bevmesh::failover {
namespace {

bool has_room(std::filesystem::path const& place) {
    std::error_code error;
    auto const has = std::filesystem::space(place, error);
    // One that does not count says zero of everything.
    return error || has.capacity == 0 || has.available >= room::least;
}

}  // namespace

boost::asio::awaitable<bool> room::look() {
    if (data_.empty() || asked_) co_return there_;
    std::function<bool()> const looking = [data = data_] {
        return has_room(data) && has_room(data / "pg_wal");
    };
    asked_ = true;
    auto answer = net::on_pool(pool_, looking);
    there_ = co_await std::move(answer);
    asked_ = false;
    co_return there_;
}

}  // namespace bevmesh::failover
