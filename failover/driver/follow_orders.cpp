#include "failover/driver/follow_orders.hpp"

#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

using boost::asio::awaitable;

constexpr milliseconds look_each{200};
constexpr seconds again{1};

class follower {
public:
    follower(order_book& own, order_book const& mesh, driver& to, journal& history)
        : own_(own), mesh_(mesh), to_(to), history_(history) {}

    awaitable<void> run() {
        for (;;) {
            put_pause();
            if (own_.seen().switchover) {
                auto const order = *own_.seen().switchover;
                auto looking = look_at(order);
                co_await std::move(looking);
            }
            co_await net::sleep_for(look_each);
        }
    }

private:
    /// Again while it lasts: a step of the wall clock moves the end of a pause.
    void put_pause() {
        auto const left = pause_left(own_.seen(), mesh_.seen(), wall_clock());
        bool const paused = left.count() > 0;
        if (!paused && !paused_) return;
        if (paused && paused_ && net::now() < put_ + again) return;
        to_.give(paused_for{left});
        paused_ = paused;
        put_ = net::now();
    }

    awaitable<void> look_at(later_switchover order) {
        auto const& record = to_.view().seen.record;
        if (record && record->order_done == order.id) {
            auto clearing = clear(order.id);
            co_return co_await std::move(clearing);
        }
        auto const when = moment_of(order, wall_clock());
        if (when == moment::missed) {
            history_.note(weight::warning, "the switchover to " + order.node + " of " +
                                               to_text(order.at) +
                                               " is given up: it could not be carried out then");
            auto clearing = clear(order.id);
            co_return co_await std::move(clearing);
        }
        bool const serves = to_.view().at == stage::serving && !to_.view().moving;
        if (when == moment::early || !serves || net::now() < ordered_ + again) co_return;
        ordered_ = net::now();
        ordered o;
        o.what = order::switchover;
        o.node = order.node;
        o.id = order.id;
        to_.give(o);
    }

    awaitable<void> clear(std::string id) {
        auto const edit = [id](standing_orders& all) {
            if (all.switchover && all.switchover->id == id) all.switchover.reset();
        };
        auto changing = own_.change(edit);
        // Whatever came of it: it is looked at again.
        (void)co_await std::move(changing);
        co_await net::sleep_for(again);
    }

    order_book& own_;
    order_book const& mesh_;
    driver& to_;
    journal& history_;
    bool paused_ = false;
    instant put_{};
    instant ordered_{};
};

}  // namespace

awaitable<void> follow_orders(order_book& own, order_book const& mesh, driver& to,
                              journal& history) {
    follower f(own, mesh, to, history);
    auto following = f.run();
    co_await std::move(following);
}

utc wall_clock() noexcept {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

}  // namespace bevmesh::failover
