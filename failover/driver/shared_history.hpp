// The history of a group as all its members tell it: a ring in one entry of Consul's KV.
//
// Each node has its own journal on disk; this is the copy that answers "what happened last night?"
// on any node, also when the one that did it is gone. Best effort and never in the way: lines wait
// in memory while Consul is away, and the oldest go first.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "failover/driver/journal.hpp"
#include "mesh/consul/client.hpp"

namespace bevmesh::failover {

struct shared_line {
    std::string node;
    journal_entry entry;
};

class shared_history {
public:
    /// `agent` must outlive it.
    shared_history(consul::client& agent, std::string_view group, std::string node)
        : consul_(agent), key_(key_of(group)), node_(std::move(node)) {}

    void add(journal_entry entry);
    /// Writes what was added, until canceled.
    boost::asio::awaitable<void> run();
    /// By time, oldest first.
    boost::asio::awaitable<result<std::vector<shared_line>>> read();

    /// "bevmesh/failover/.history/GROUP"
    [[nodiscard]] static std::string key_of(std::string_view group);
    static constexpr std::size_t kept = 200;

private:
    struct found {
        std::vector<shared_line> lines;
        std::uint64_t index = 0;
    };
    boost::asio::awaitable<result<found>> look();
    boost::asio::awaitable<bool> write();

    consul::client& consul_;
    std::string key_;
    std::string node_;
    std::deque<shared_line> waiting_;
};

/// The newest `kept` of both, by time. Pure.
[[nodiscard]] std::vector<shared_line> merge(std::vector<shared_line> have,
                                             std::deque<shared_line> const& more, std::size_t kept);
[[nodiscard]] std::string encode(std::vector<shared_line> const& lines);
/// Of what is no line of ours nothing is kept.
[[nodiscard]] std::vector<shared_line> decode_lines(std::string_view text);

}  // namespace bevmesh::failover
