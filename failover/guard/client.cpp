#include "failover/guard/client.hpp"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "failover/guard/socket.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover::guard {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

status read_status(answer const& a) {
    status s;
    s.said = a.said;
    s.guard_id = get_text(a.guard_id);
    s.group = get_text(a.group);
    s.phase = a.phase;
    s.cause = a.cause;
    s.victim = a.victim;
    s.now = to_instant(a.now_ns);
    s.deadline = to_instant(a.term.deadline_ns);
    s.margin = nanoseconds(a.term.margin_ns);
    if (a.struck_ns != 0) s.struck = to_instant(a.struck_ns);
    if (a.dead_ns != 0) s.dead = to_instant(a.dead_ns);
    s.blob.assign(a.blob.data(), a.blob_size);
    s.restored = a.restored != 0;
    return s;
}

result<void> put_blob(request& r, std::optional<std::string> const& blob) {
    if (!blob) return {};
    if (blob->size() > blob_size_max)
        return failure{errc::too_large, "keep " + std::to_string(blob->size()) +
                                            " bytes with the guard: it takes 4096"};
    r.blob_size = static_cast<std::uint32_t>(blob->size());
    blob->copy(r.blob.data(), blob->size());
    return {};
}

term to_term(lease_end const& until) {
    return {to_wire(until.valid_until), until.margin.count()};
}

class asio_client final : public client {
public:
    asio_client(asio::any_io_executor executor, std::string socket, milliseconds limit)
        : executor_(executor),
          path_(std::move(socket)),
          limit_(limit),
          connection_(executor),
          turn_(executor, net::steady_point::max()) {}

    awaitable<result<status>> hello() override;
    awaitable<result<status>> arm(victim_id who, int pidfd, lease_end until,
                                  std::optional<std::string> blob) override;
    awaitable<result<status>> extend(lease_end until, std::optional<std::string> blob) override;
    awaitable<result<status>> forget(std::optional<std::string> blob) override;
    awaitable<result<status>> fence(milliseconds limit) override;
    awaitable<result<status>> ask() override { return simple(verb::status); }
    bool connected() const noexcept override { return connection_.is_open(); }
    void close() noexcept override {
        boost::system::error_code ignored;
        connection_.close(ignored);
    }

private:
    awaitable<result<status>> simple(verb what) {
        auto r = std::make_unique<request>();
        r->what = what;
        return exchange(std::move(r), -1);
    }
    awaitable<result<status>> exchange(std::unique_ptr<request> what, int pidfd);
    awaitable<result<status>> converse(std::unique_ptr<request> what, int pidfd);
    failure lost(errc code, std::string const& why) {
        close();
        return {code, "guard at " + path_ + ": " + why};
    }

    asio::any_io_executor executor_;
    std::string path_;
    milliseconds limit_;
    stream_descriptor connection_;
    asio::steady_timer turn_;
    bool busy_ = false;
    std::uint64_t number_ = 0;
};

awaitable<result<status>> asio_client::hello() {
    close();
    auto made = connect_to(path_);
    if (!made) co_return made.error();
    connection_.assign(made->release());
    auto greeting = simple(verb::hello);
    co_return co_await std::move(greeting);
}

awaitable<result<status>> asio_client::arm(victim_id who, int pidfd, lease_end until,
                                           std::optional<std::string> blob) {
    auto r = std::make_unique<request>();
    r->what = verb::arm;
    r->victim = who;
    r->term = to_term(until);
    auto const kept = put_blob(*r, blob);
    if (!kept) co_return kept.error();
    co_return co_await exchange(std::move(r), pidfd);
}

awaitable<result<status>> asio_client::extend(lease_end until, std::optional<std::string> blob) {
    auto r = std::make_unique<request>();
    r->what = verb::extend;
    r->term = to_term(until);
    r->shorten = until.shorten ? 1 : 0;
    auto const kept = put_blob(*r, blob);
    if (!kept) co_return kept.error();
    co_return co_await exchange(std::move(r), -1);
}

awaitable<result<status>> asio_client::forget(std::optional<std::string> blob) {
    auto r = std::make_unique<request>();
    r->what = verb::forget;
    auto const kept = put_blob(*r, blob);
    if (!kept) co_return kept.error();
    co_return co_await exchange(std::move(r), -1);
}

awaitable<result<status>> asio_client::fence(milliseconds limit) {
    auto const until = std::chrono::steady_clock::now() + limit;
    auto answered = co_await simple(verb::fence);
    while (answered && answered->done() && answered->phase == phase::killing) {
        if (std::chrono::steady_clock::now() >= until)
            co_return failure{errc::timed_out,
                              "kill process " + std::to_string(answered->victim.pid) +
                                  ": it has not ended within " + net::limit_text(limit)};
        co_await net::sleep_for(milliseconds(1));
        answered = co_await simple(verb::status);
    }
    co_return answered;
}

awaitable<result<status>> asio_client::exchange(std::unique_ptr<request> what, int pidfd) {
    while (busy_) {
        boost::system::error_code woken;
        co_await turn_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        auto const stop = co_await asio::this_coro::cancellation_state;
        if (stop.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }
    busy_ = true;
    // Also when this coroutine is destroyed or thrown out of.
    auto const free = [this](void*) noexcept {
        busy_ = false;
        try {
            turn_.cancel();
        } catch (...) {
            // Only a broken reactor throws here.
        }
    };
    std::unique_ptr<asio_client, decltype(free)> const release(this, free);
    bool expired = false;
    net::watchdog const limit(executor_, std::chrono::steady_clock::now() + limit_, [&] {
        expired = true;
        close();
    });
    auto answered = co_await converse(std::move(what), pidfd);
    if (expired)
        co_return failure{errc::timed_out,
                          "guard at " + path_ + ": no answer within " + net::limit_text(limit_)};
    co_return answered;
}

awaitable<result<status>> asio_client::converse(std::unique_ptr<request> what, int pidfd) {
    what->number = ++number_;
    if (!connection_.is_open()) co_return lost(errc::unreachable, "not connected");
    if (!send(connection_.native_handle(), wire(*what), pidfd))
        co_return lost(errc::unreachable, "it is gone, or a newer daemon is there");
    auto const raw = std::make_unique<answer>();
    auto const whole = std::make_unique<answer>();
    auto const bytes = std::span(reinterpret_cast<char*>(raw.get()), sizeof(answer));
    for (;;) {
        boost::system::error_code error;
        co_await connection_.async_wait(stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return lost(errc::canceled, "given up");
        auto const got = receive(connection_.native_handle(), bytes);
        if (got.what == received::nothing_yet) continue;
        if (got.what == received::closed)
            co_return lost(errc::truncated, "it is gone, or a newer daemon is there");
        if (!read(bytes.first(got.size), *whole))
            co_return lost(errc::bad_answer, "its answer is of another version");
        if (whole->number == what->number) co_return read_status(*whole);
    }
}

}  // namespace

std::unique_ptr<client> make_client(asio::any_io_executor executor, std::string socket,
                                    milliseconds limit) {
    return std::make_unique<asio_client>(std::move(executor), std::move(socket), limit);
}

awaitable<void> process_end(int pidfd) {
    auto const executor = co_await asio::this_coro::executor;
    stream_descriptor process(executor, ::dup(pidfd));
    while (!has_ended(pidfd))
        co_await process.async_wait(stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace bevmesh::failover::guard
