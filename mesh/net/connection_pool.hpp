// Connections of one HTTP client: a bounded number in use, a few idle ones to use again.
//
// A slot is the right to have one connection in use; slots are given in the order of asking. A
// connection comes back only by slot::keep(), after an exchange that went well to its last byte; in
// every other case, cancellation included, it is closed with the slot. Internal to mesh/net.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "mesh/net/stream.hpp"

namespace bevmesh::net {

class connection_pool : public std::enable_shared_from_this<connection_pool> {
public:
    connection_pool(boost::asio::any_io_executor executor, http_client_options options,
                    tls_identity identity);

    class slot {
    public:
        explicit slot(std::shared_ptr<connection_pool> pool) noexcept : pool_(std::move(pool)) {}
        ~slot();
        slot(slot&& other) noexcept = default;
        slot& operator=(slot&&) = delete;

        /// An idle connection that is still good, or null.
        [[nodiscard]] std::unique_ptr<byte_stream> take_idle();
        void keep(std::unique_ptr<byte_stream> stream);

    private:
        std::shared_ptr<connection_pool> pool_;
    };

    /// errc::timed_out when none came free in time.
    awaitable<result<slot>> acquire(steady_point deadline);
    /// Still to be connected.
    [[nodiscard]] result<std::unique_ptr<byte_stream>> fresh() const;

    [[nodiscard]] boost::asio::any_io_executor const& executor() const { return executor_; }
    [[nodiscard]] endpoint const& peer() const { return options_.peer; }

private:
    struct waiter;
    struct idle_connection {
        std::unique_ptr<byte_stream> stream;
        steady_point since;
    };

    void release() noexcept;
    void drop_stale();

    boost::asio::any_io_executor executor_;
    http_client_options options_;
    tls_identity identity_;
    std::size_t busy_ = 0;
    std::list<waiter*> waiting_;
    std::vector<idle_connection> idle_;  // last used last
};

}  // namespace bevmesh::net
