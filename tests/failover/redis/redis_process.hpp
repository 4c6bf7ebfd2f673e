// A real Redis 7.0 of a test: its configuration, its process, and what a client of it sees.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "failover/redis/server.hpp"
#include "tests/failover/databases/image.hpp"

namespace bevmesh::testing {

using boost::asio::awaitable;

/// Runs until `test` has ended, and throws what it threw; fails after 30 s.
void run(boost::asio::io_context& loop, awaitable<void> test);

class redis_process {
public:
    /// Boot-fenced; `configuration` are further lines of redis.conf, or "tls" for the port.
    /// Answers, or is LOADING, when it is made.
    explicit redis_process(std::vector<std::string> configuration = {});

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] failover::redis::address address() const { return {"127.0.0.1", port_}; }
    [[nodiscard]] redis::settings login() const;
    [[nodiscard]] std::string directory() const { return where_.path("data"); }
    [[nodiscard]] std::string file() const { return where_.path("redis.conf"); }
    [[nodiscard]] child const& process() const { return *process_; }
    /// After its process was killed, on the same data and configuration.
    void start();
    void kill();

    std::string user;
    std::string password;
    bool tls = false;
    std::string ca_file;

private:
    scratch where_;
    std::uint16_t port_;
    std::unique_ptr<child> process_;
};

/// What a client gets for one command; a connection's end is an error reply "GONE".
[[nodiscard]] awaitable<redis::reply> ask(redis_process const& whom, std::vector<std::string> argv);
/// One field of INFO.
[[nodiscard]] awaitable<std::string> info(redis_process const& whom, std::string field);
/// Until a field of INFO has the value; fails after 10 s.
[[nodiscard]] awaitable<void> until(redis_process const& whom, std::string field,
                                    std::string value);

}  // namespace bevmesh::testing
