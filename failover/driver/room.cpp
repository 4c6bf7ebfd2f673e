#include "failover/driver/room.hpp"

#include <algorithm>

#include "mesh/net/pool.hpp"

namespace bevmesh::failover {

boost::asio::awaitable<bool> room::look() {
    if (places_.empty() || asked_) co_return there_;
    std::function<bool()> const looking = [places = places_] {
        return std::ranges::all_of(places, [](std::filesystem::path const& place) {
            std::error_code error;
            auto const has = std::filesystem::space(place, error);
            return error || has.available >= least;
        });
    };
    asked_ = true;
    auto answer = net::on_pool(pool_, looking);
    there_ = co_await std::move(answer);
    asked_ = false;
    co_return there_;
}

}  // namespace bevmesh::failover
