// The HTTP server: one coroutine a connection, all of them children of one task group.
#include "mesh/net/http_server.hpp"

#include <algorithm>
#include <array>
#include <list>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "mesh/net/http_wire.hpp"
#include "mesh/net/listener.hpp"
#include "mesh/net/mutual_tls.hpp"
#include "mesh/net/task_group.hpp"

namespace bevmesh::net {

namespace asio = boost::asio;

namespace {

constexpr milliseconds drain_limit{2'000};
constexpr milliseconds accept_pause{100};  // after a failed accept: descriptors come free again

http_response plain(unsigned status, std::string text) {
    http_response r;
    r.status = status;
    r.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    r.body = std::move(text);
    r.body += '\n';
    return r;
}

class server final : public http_server {
public:
    server(asio::any_io_executor executor, listen_options options, http_handler handler,
           std::unique_ptr<listener> where)
        : shared_(std::make_shared<shared>(std::move(executor), std::move(options),
                                           std::move(handler), std::move(where))) {}
    ~server() override { shared_->stop(); }

    awaitable<void> run() override { return serve(shared_); }
    void stop() override { shared_->stop(); }
    std::uint16_t port() const noexcept override { return shared_->where->port(); }

private:
    struct connection {
        std::unique_ptr<byte_stream> stream;
        bool greeted = false;
        bool answering = false;
    };

    /// Held by run() and by every connection: the server may go before they end.
    struct shared {
        shared(asio::any_io_executor e, listen_options o, http_handler h,
               std::unique_ptr<listener> l)
            : executor(std::move(e)),
              options(std::move(o)),
              handler(std::move(h)),
              where(std::move(l)) {}

        void stop() {
            stopping = true;
            where->close();
            // Those without a request have nothing to finish.
            for (auto const& c : connections) {
                if (!c->answering) c->stream->close();
            }
        }
        [[nodiscard]] bool is_full() const {
            auto const strangers =
                std::ranges::count_if(connections, [](auto const& c) { return !c->greeted; });
            return connections.size() >= options.connections_max ||
                   (options.tls && 2 * static_cast<std::size_t>(strangers) >=
                                       std::max<std::size_t>(options.connections_max, 2));
        }
        void complain(std::string const& what) const {
            if (options.on_error) options.on_error(what);
        }

        asio::any_io_executor executor;
        listen_options options;
        http_handler handler;
        std::unique_ptr<listener> where;
        std::list<std::shared_ptr<connection>> connections;
        bool stopping = false;
    };
    using state = std::shared_ptr<shared>;

    static awaitable<void> serve(state s);
    static awaitable<void> accept_all(state s, task_group& group);
    static awaitable<void> drain(state s, task_group& group);
    static awaitable<void> talk(state s, std::shared_ptr<connection> c);
    static awaitable<void> refuse(state s, std::unique_ptr<byte_stream> stream);
    static awaitable<bool> greet(shared& s, connection& c);
    static awaitable<result<bool>> read_request(shared& s, connection& c, request_reader& reader);
    static awaitable<http_response> answer(shared& s, http_request request);

    state shared_;
};

awaitable<void> server::serve(state s) {
    task_group group(s->executor, [s](std::string_view, std::string const& what) {
        s->complain("connection to " + s->where->name() + ": " + what);
    });
    co_await accept_all(s, group);
    auto const own = co_await asio::this_coro::cancellation_state;
    bool const canceled = own.cancelled() != asio::cancellation_type::none;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    s->stop();
    co_await drain(s, group);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (canceled) throw boost::system::system_error(asio::error::operation_aborted);
}

awaitable<void> server::accept_all(state s, task_group& group) {
    // Each co_await of a canceled coroutine throws; the end of accepting is no exception here.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!s->stopping) {
        auto accepted = co_await s->where->accept();
        if (accepted.has_error()) {
            auto const own = co_await asio::this_coro::cancellation_state;
            if (s->stopping || own.cancelled() != asio::cancellation_type::none) break;
            s->complain(accepted.error().doing);
            asio::steady_timer pause(s->executor, accept_pause);
            boost::system::error_code ignored;
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            continue;
        }
        if (s->is_full()) {
            // To a stranger under TLS nothing can be said.
            if (!s->options.tls) group.spawn(refuse(s, std::move(*accepted)), "refusal");
            continue;
        }
        auto const c = std::make_shared<connection>();
        c->stream = std::move(*accepted);
        s->connections.push_back(c);
        group.spawn(talk(s, c), "connection");
    }
    co_await asio::this_coro::throw_if_cancelled(true);
}

awaitable<void> server::drain(state s, task_group& group) {
    auto all = group.join();
    auto const drained = co_await with_deadline(std::move(all), drain_limit, "finish requests");
    if (drained.has_error()) s->complain(describe(drained.error()));
}

awaitable<void> server::refuse(state s, std::unique_ptr<byte_stream> stream) {
    auto const text = response_text(plain(503, "too many connections"), false, true);
    watchdog limit(s->executor, std::chrono::steady_clock::now() + drain_limit,
                   [&stream] { stream->close(); });
    auto const ignored = co_await stream->write(text);
    static_cast<void>(ignored);
}

/// The handshake, where there is one. False: this is no client of ours.
awaitable<bool> server::greet(shared& s, connection& c) {
    auto const deadline = std::chrono::steady_clock::now() + s.options.handshake_timeout;
    watchdog limit(s.executor, deadline, [&c] { c.stream->close(); });
    auto const greeted = co_await c.stream->connect(deadline);
    if (greeted.has_error()) {
        if (!s.stopping) {
            s.complain(limit.expired()
                           ? "TLS: no handshake within " + limit_text(s.options.handshake_timeout)
                           : greeted.error().doing);
        }
        co_return false;
    }
    c.greeted = limit.disarm();
    co_return c.greeted;
}

/// False: the client is gone or silent, without having begun a request.
awaitable<result<bool>> server::read_request(shared& s, connection& c, request_reader& reader) {
    watchdog limit(s.executor, std::chrono::steady_clock::now() + s.options.idle_timeout,
                   [&c] { c.stream->close(); });
    // Bytes that came with the request before.
    auto fed = reader.feed({});
    std::array<char, 8U << 10U> buffer;
    while (fed.has_value() && !reader.complete()) {
        if (reader.wants_continue()) {
            std::string_view const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            auto const sent = co_await c.stream->write(go_on);
            if (sent.has_error()) co_return false;
        }
        auto const n = co_await c.stream->read_some(buffer);
        if (n.has_error() || *n == 0) co_return false;
        fed = reader.feed(std::string_view(buffer.data(), *n));
    }
    if (fed.has_error()) co_return fed.error();
    co_return limit.disarm();
}

awaitable<http_response> server::answer(shared& s, http_request request) {
    auto const what = request.method + " " + request.target;
    std::string trouble;
    try {
        co_return co_await s.handler(std::move(request));
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        trouble = e.what();
    } catch (std::exception const& e) {
        trouble = e.what();
    }
    s.complain("handler of " + what + ": " + trouble);
    co_return plain(500, "internal error");
}

awaitable<void> server::talk(state s, std::shared_ptr<connection> c) {
    struct leave {
        shared& s;
        std::shared_ptr<connection> const& c;
        ~leave() { s.connections.remove(c); }
    } const guard{*s, c};
    request_reader reader(s->options.body_limit);
    bool open = co_await greet(*s, *c);
    while (open && !s->stopping) {
        auto const read = co_await read_request(*s, *c, reader);
        if (read.has_value() && !*read) break;
        c->answering = true;
        std::string text;
        if (read.has_error()) {
            auto const status = read.error().code == errc::too_large ? 413U : 400U;
            text = response_text(plain(status, read.error().doing), false, true);
            open = false;
        } else {
            bool const keep = reader.keep_alive();
            auto request = reader.take();
            request.peer = c->stream->peer();
            bool const body_too = request.method != "HEAD";
            auto const response = co_await answer(*s, std::move(request));
            open = keep && !s->stopping;
            text = response_text(response, open, body_too);
        }
        watchdog limit(s->executor, std::chrono::steady_clock::now() + s->options.idle_timeout,
                       [&c] { c->stream->close(); });
        auto const sent = co_await c->stream->write(text);
        if (sent.has_error()) break;
        c->answering = false;
    }
}

}  // namespace

result<std::unique_ptr<http_server>> make_http_server(asio::any_io_executor executor,
                                                      listen_options options,
                                                      http_handler handler) {
    auto where = make_listener(executor, options);
    if (where.has_error()) return where.error();
    return std::unique_ptr<http_server>(std::make_unique<server>(
        std::move(executor), std::move(options), std::move(handler), std::move(*where)));
}

}  // namespace bevmesh::net
