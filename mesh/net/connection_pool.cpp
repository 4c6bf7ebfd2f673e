#include "mesh/net/connection_pool.hpp"

#include <boost/asio/redirect_error.hpp>

namespace bevmesh::net {

namespace asio = boost::asio;

/// In the frame of a coroutine that waits; leaves the queue, or gives the slot on, when that ends.
struct connection_pool::waiter {
    waiter(std::shared_ptr<connection_pool> p, steady_point deadline)
        : pool(std::move(p)), timer(pool->executor_, deadline) {
        place = pool->waiting_.insert(pool->waiting_.end(), this);
    }
    ~waiter() {
        if (!granted) {
            pool->waiting_.erase(place);
        } else if (!taken) {
            pool->release();
        }
    }
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    std::shared_ptr<connection_pool> pool;
    asio::steady_timer timer;
    std::list<waiter*>::iterator place;
    bool granted = false;
    bool taken = false;
};

connection_pool::connection_pool(asio::any_io_executor executor, http_client_options options,
                                 tls_identity identity)
    : executor_(std::move(executor)), options_(std::move(options)), identity_(std::move(identity)) {
    if (options_.connections_max == 0) options_.connections_max = 1;
}

connection_pool::slot::~slot() {
    if (pool_) pool_->release();
}

std::unique_ptr<byte_stream> connection_pool::slot::take_idle() {
    pool_->drop_stale();
    while (!pool_->idle_.empty()) {
        auto stream = std::move(pool_->idle_.back().stream);
        pool_->idle_.pop_back();
        if (stream->quiet()) return stream;
    }
    return nullptr;
}

void connection_pool::slot::keep(std::unique_ptr<byte_stream> stream) {
    pool_->drop_stale();
    if (pool_->idle_.size() >= pool_->options_.connections_max) return;
    pool_->idle_.push_back({std::move(stream), std::chrono::steady_clock::now()});
}

awaitable<result<connection_pool::slot>> connection_pool::acquire(steady_point deadline) {
    auto const self = shared_from_this();
    if (busy_ < options_.connections_max && waiting_.empty()) {
        ++busy_;
        co_return slot(self);
    }
    waiter me(self, deadline);
    boost::system::error_code error;
    co_await me.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (!me.granted) {
        auto const code = error ? errc::canceled : errc::timed_out;
        co_return failure{code, "no connection came free"};
    }
    me.taken = true;
    co_return slot(self);
}

result<std::unique_ptr<byte_stream>> connection_pool::fresh() const {
    if (options_.peer.transport != endpoint::kind::tls || !options_.tls.current)
        return make_stream(executor_, options_.peer, identity_);
    auto context = options_.tls.current();
    if (context.has_error()) return context.error();
    auto with = identity_;
    with.context = std::move(*context);
    return make_stream(executor_, options_.peer, with);
}

void connection_pool::release() noexcept {
    if (waiting_.empty()) {
        --busy_;
        return;
    }
    auto* const next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    try {
        next->timer.cancel();
    } catch (...) {
        // It then finds its grant when its deadline passes.
    }
}

void connection_pool::drop_stale() {
    auto const limit = std::chrono::steady_clock::now() - options_.idle_max;
    std::erase_if(idle_, [&](idle_connection const& c) { return c.since < limit; });
}

}  // namespace bevmesh::net
