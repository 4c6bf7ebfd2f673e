// Jobs beside the loop.
#include "mesh/net/pool.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "tests/catch.hpp"

using namespace bevmesh;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> give_to(asio::thread_pool* pool) {
    std::function<int()> const job = [] { return 1; };
    auto doing = net::on_pool(*pool, job);
    (void)co_await std::move(doing);
}

}  // namespace

TEST_CASE("a job that is under way is left alone by who cancels the one that waits for it") {
    asio::thread_pool pool(1);
    // Each time the cancellation meets the job at another moment.
    for (int i = 0; i < 3'000; ++i) {
        asio::io_context loop(1);
        asio::cancellation_signal stop;
        bool over = false;
        asio::co_spawn(loop, give_to(&pool),
                       asio::bind_cancellation_slot(stop.slot(),
                                                    [&over](std::exception_ptr) { over = true; }));
        for (int turn = 0; turn <= i % 8; ++turn)
            asio::post(loop, [] {});
        asio::post(loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
        loop.run();
        REQUIRE(over);
    }
}
