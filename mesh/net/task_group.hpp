// Structured concurrency: nothing that was started is ever lost.
//
// A group owns the coroutines that it spawned. It can cancel them all (terminal cancellation, the
// only kind that Asio 1.26 handles correctly everywhere) and join() waits until the last has ended.
// A child's exception goes to the handler with the child's name; cancellation that the group asked
// for is no exception. One thread only, like everything in bevmesh.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace bevmesh::net {

class task_group {
public:
    using error_handler = std::function<void(std::string_view task, std::string const& what)>;

    /// `on_error` must not throw; it may spawn again or cancel the group. The group must not
    /// outlive the executor's context.
    task_group(boost::asio::any_io_executor executor, error_handler on_error);
    /// Cancels; children that are still running end by themselves and touch the group no more.
    ~task_group();
    task_group(task_group const&) = delete;
    task_group& operator=(task_group const&) = delete;

    /// After cancel() the coroutine is dropped without being started, and this is false.
    bool spawn(boost::asio::awaitable<void> task, std::string name);

    /// Final: the group takes no further children.
    void cancel();

    /// Waits for all children, also for those spawned meanwhile. If the waiting coroutine is
    /// canceled, the group is, the wait goes on to the end, and the cancellation is thrown then.
    boost::asio::awaitable<void> join();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool canceled() const noexcept;
    /// Names of the children that still run: for the log line of a shutdown that hangs.
    [[nodiscard]] std::vector<std::string> names() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bevmesh::net
