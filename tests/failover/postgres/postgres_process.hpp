// A real PostgreSQL of a test: its data directory and its processes, as user nobody in a chroot.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "failover/postgres/server.hpp"
#include "tests/failover/databases/image.hpp"

namespace bevmesh::testing {

using boost::asio::awaitable;

/// Runs until `test` has ended, and throws what it threw; fails after 60 s.
void run(boost::asio::io_context& loop, awaitable<void> test);

class postgres_process {
public:
    /// `release`: "15", "17".
    explicit postgres_process(std::string node, std::string release = "15");
    /// Frozen or not, all of it ends: it runs in a PID namespace.
    ~postgres_process() = default;

    /// initdb; its own system identifier.
    void init();
    /// pg_basebackup by the command that failover uses; the exit status.
    [[nodiscard]] int base_backup(postgres_process const& from);
    [[nodiscard]] int rewind(postgres_process const& from);
    [[nodiscard]] std::string control() const;
    /// A program of the release, to its end: the exit status, and what it wrote.
    [[nodiscard]] std::pair<int, std::string> run_tool(std::vector<std::string> argv) const;

    /// Answers, or fails after 20 s.
    void start();
    /// SIGINT is a fast stop, SIGQUIT an immediate one; waits for the end of all of it.
    void stop(int signal);
    void freeze(bool frozen) const;

    [[nodiscard]] std::string const& node() const noexcept { return node_; }
    [[nodiscard]] bool runs() const noexcept { return init_ != nullptr; }
    [[nodiscard]] std::string const& programs() const noexcept { return bin_; }
    [[nodiscard]] std::string data() const { return where_.path("data"); }
    [[nodiscard]] std::string path(std::string const& name) const { return where_.path(name); }
    [[nodiscard]] failover::postgres::address address() const { return {"127.0.0.1", port_}; }
    [[nodiscard]] postgres::settings login() const;
    [[nodiscard]] std::string conninfo() const;

private:
    [[nodiscard]] int tool(std::vector<std::string> argv) const;

    std::string node_;
    std::string image_;
    std::string bin_;
    scratch where_;
    std::uint16_t port_;
    std::unique_ptr<child> init_;
};

/// One statement as a client's; "error: …" for one that failed.
[[nodiscard]] awaitable<std::string> ask(postgres_process const& whom, std::string statement);
/// The same, by a client that waits no longer than `patience`.
[[nodiscard]] awaitable<std::string> ask_for(milliseconds patience, postgres_process const& whom,
                                             std::string statement);

}  // namespace bevmesh::testing
