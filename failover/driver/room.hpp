// Whether the disk under a database has room: PostgreSQL itself says so only in the statement that
// fails, and goes on while its WAL has segments to use again.
#pragma once

#include <cstdint>
#include <filesystem>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

namespace bevmesh::failover {

class room {
public:
    /// Bytes. With less, a table cannot grow by what one busy second needs: a member that has less
    /// is no candidate, and no primary where there is one.
    static constexpr std::uint64_t least = 1U << 20U;

    /// Of a data directory; empty: there is always room.
    explicit room(std::filesystem::path data) : data_(std::move(data)) {}

    /// False: the file system under the data, or that under the WAL, has less than `least` for a
    /// user that is not root. A place that is not there, or does not say, has it. A network file
    /// system that does not answer holds up one look, not each: meanwhile the answer is the last
    /// one.
    boost::asio::awaitable<bool> look();

private:
    std::filesystem::path data_;
    bool there_ = true;
    bool asked_ = false;  // and not answered
    boost::asio::thread_pool pool_{1};
};

}  // namespace bevmesh::failover
