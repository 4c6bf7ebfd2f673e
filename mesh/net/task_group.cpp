#include "mesh/net/task_group.hpp"

#include <list>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::net {

namespace asio = boost::asio;

struct task_group::state {
    struct child {
        std::string name;
        asio::cancellation_signal stop;
    };

    state(asio::any_io_executor e, error_handler h)
        : executor(std::move(e)),
          on_error(std::move(h)),
          joined(executor, asio::steady_timer::time_point::max()) {}

    asio::any_io_executor executor;
    error_handler on_error;
    asio::steady_timer joined;  // never expires; canceled when the last child ends
    std::list<std::shared_ptr<child>> children;
    bool canceled = false;

    void ended(std::list<std::shared_ptr<child>>::iterator which, std::exception_ptr const& error) {
        auto const name = std::move((*which)->name);
        children.erase(which);
        if (error) report(name, error);
        if (children.empty()) joined.cancel();
    }

    void report(std::string const& name, std::exception_ptr const& error) {
        try {
            std::rethrow_exception(error);
        } catch (boost::system::system_error const& e) {
            if (canceled && e.code() == asio::error::operation_aborted) return;
            if (on_error) on_error(name, e.what());
        } catch (std::exception const& e) {
            if (on_error) on_error(name, e.what());
        } catch (...) {
            if (on_error) on_error(name, "an exception of unknown type");
        }
    }
};

task_group::task_group(asio::any_io_executor executor, error_handler on_error)
    : state_(std::make_shared<state>(std::move(executor), std::move(on_error))) {}

task_group::~task_group() {
    state_->on_error = nullptr;
    cancel();
}

bool task_group::spawn(asio::awaitable<void> task, std::string name) {
    if (state_->canceled) return false;
    auto const where =
        state_->children.insert(state_->children.end(), std::make_shared<state::child>());
    auto const child = *where;
    child->name = std::move(name);
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(
                       child->stop.slot(), [s = state_, where](std::exception_ptr const& error) {
                           s->ended(where, error);
                       }));
    return true;
}

void task_group::cancel() {
    auto const s = state_;
    if (s->canceled) return;
    s->canceled = true;
    // A copy that keeps the signals alive: a child may end, and take others along, while it is told
    // to.
    auto const told =
        std::vector<std::shared_ptr<state::child>>(s->children.begin(), s->children.end());
    for (auto const& child : told)
        child->stop.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> task_group::join() {
    auto const s = state_;
    bool stopped = false;
    while (!s->children.empty()) {
        boost::system::error_code ignored;
        co_await s->joined.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        auto const own = co_await asio::this_coro::cancellation_state;
        if (!stopped && own.cancelled() != asio::cancellation_type::none) {
            stopped = true;
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            cancel();
        }
    }
    if (stopped) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

std::size_t task_group::size() const noexcept {
    return state_->children.size();
}

bool task_group::canceled() const noexcept {
    return state_->canceled;
}

std::vector<std::string> task_group::names() const {
    std::vector<std::string> names;
    for (auto const& child : state_->children)
        names.push_back(child->name);
    return names;
}

}  // namespace bevmesh::net
