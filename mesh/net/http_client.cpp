// The HTTP client: one exchange under one watchdog, on a connection of the pool or on its own.
#include <array>

#include <boost/asio/this_coro.hpp>

#include "mesh/net/connection_pool.hpp"
#include "mesh/net/http_wire.hpp"

namespace bevmesh::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t read_size = 16U << 10U;

/// What a request is called in failures: "PUT /v1/kv/a at 127.0.0.1:8500: reason".
failure about(http_request const& request, endpoint const& peer, failure reason) {
    reason.doing = request.method + " " + request.target + " at " + to_string(peer) + ": " +
                   std::move(reason.doing);
    return reason;
}

/// A stream ends an operation as canceled when it is closed; the watchdog knows who closed it.
failure explain(watchdog const& limit, milliseconds timeout, failure reason) {
    if (!limit.expired()) return reason;
    return {errc::timed_out, "no complete answer within " + limit_text(timeout)};
}

/// One exchange as far as it got. `answer_began` decides whether it may be tried again.
struct exchange {
    exchange(byte_stream& s, response_reader r) : stream(s), reader(std::move(r)), buffer() {}

    byte_stream& stream;
    response_reader reader;
    bool answer_began = false;
    std::optional<failure> broken;  // found behind a complete head: told after what came before it
    std::array<char, read_size> buffer;
};

awaitable<result<void>> read_more(exchange& x) {
    auto const n = co_await x.stream.read_some(x.buffer);
    if (n.has_error()) co_return n.error();
    if (*n == 0) co_return x.reader.finish();
    x.answer_began = true;
    co_return x.reader.feed(std::string_view(x.buffer.data(), *n));
}

/// Sends, and reads until the head is complete. A server may refuse a body with an answer and close
/// before it has read it all: a failed sending is told only if no answer can be read either.
awaitable<result<void>> send_and_read_head(exchange& x, secret const& head,
                                           std::string const& body) {
    auto sent = co_await x.stream.write(head.reveal());
    if (sent.has_value() && !body.empty()) sent = co_await x.stream.write(body);
    if (sent.has_error() && sent.error().code == errc::canceled) co_return sent.error();
    while (!x.reader.head_complete()) {
        auto const read = co_await read_more(x);
        if (read.has_value()) continue;
        if (!x.reader.head_complete()) co_return sent.has_error() ? sent.error() : read.error();
        x.broken = read.error();
    }
    co_return result<void>();
}

class live_stream final : public http_stream {
public:
    live_stream(asio::any_io_executor executor, std::unique_ptr<byte_stream> stream, exchange begun,
                std::string what)
        : executor_(std::move(executor)),
          stream_(std::move(stream)),
          exchange_(std::move(begun)),
          head_(exchange_.reader.head()),
          what_(std::move(what)) {
        if (exchange_.broken) name_it(*exchange_.broken);
    }

    http_response const& head() const noexcept override { return head_; }

    awaitable<result<std::string>> read_some(milliseconds idle_limit) override {
        auto const limit = idle_limit.count() > 0 ? std::chrono::steady_clock::now() + idle_limit
                                                  : steady_point::max();
        for (;;) {
            auto piece = exchange_.reader.take_body();
            if (!piece.empty() || exchange_.reader.complete()) co_return piece;
            if (exchange_.broken) co_return *exchange_.broken;
            watchdog idle(executor_, limit, [this] { stream_->close(); });
            auto const read = co_await read_more(exchange_);
            idle.disarm();
            if (read.has_error()) {
                auto reason = read.error();
                if (idle.expired()) {
                    reason = failure{errc::timed_out, "silent for " + limit_text(idle_limit)};
                }
                name_it(reason);
                exchange_.broken = std::move(reason);
            }
        }
    }

private:
    void name_it(failure& reason) const { reason.doing = what_ + ": " + reason.doing; }

    asio::any_io_executor executor_;
    std::unique_ptr<byte_stream> stream_;
    exchange exchange_;
    http_response head_;
    std::string what_;
};

class pooled_client final : public http_client {
public:
    explicit pooled_client(std::shared_ptr<connection_pool> pool) : pool_(std::move(pool)) {}

    awaitable<result<http_response>> send(http_request request) override {
        return send_on(pool_, std::move(request));
    }
    awaitable<result<std::unique_ptr<http_stream>>> open(http_request request) override {
        return open_on(pool_, std::move(request));
    }
    endpoint const& peer() const noexcept override { return pool_->peer(); }

private:
    // Static, with the pool as an argument: a client may go while a request is under way.
    static awaitable<result<http_response>> send_on(std::shared_ptr<connection_pool> pool,
                                                    http_request request);
    static awaitable<result<http_response>> attempt(connection_pool& pool,
                                                    connection_pool::slot& slot,
                                                    http_request const& request, secret const& head,
                                                    steady_point deadline, bool& try_again);
    static awaitable<result<std::unique_ptr<http_stream>>> open_on(
        std::shared_ptr<connection_pool> pool, http_request request);

    std::shared_ptr<connection_pool> pool_;
};

awaitable<result<http_response>> pooled_client::send_on(std::shared_ptr<connection_pool> pool,
                                                        http_request request) {
    auto const deadline = std::chrono::steady_clock::now() + request.timeout;
    auto const head = request_head(request, pool->peer());
    if (head.has_error()) co_return about(request, pool->peer(), head.error());
    auto acquired = co_await pool->acquire(deadline);
    if (acquired.has_error()) co_return about(request, pool->peer(), acquired.error());
    auto slot = std::move(*acquired);
    bool try_again = true;
    auto answer = co_await attempt(*pool, slot, request, *head, deadline, try_again);
    if (try_again) answer = co_await attempt(*pool, slot, request, *head, deadline, try_again);
    if (answer.has_error()) co_return about(request, pool->peer(), answer.error());
    co_return answer;
}

/// On entry `try_again` says that a second attempt may follow; on return that it should.
awaitable<result<http_response>> pooled_client::attempt(connection_pool& pool,
                                                        connection_pool::slot& slot,
                                                        http_request const& request,
                                                        secret const& head, steady_point deadline,
                                                        bool& try_again) {
    bool const first = std::exchange(try_again, false);
    auto stream = first ? slot.take_idle() : nullptr;
    bool const reused = stream != nullptr;
    if (!reused) {
        auto made = pool.fresh();
        if (made.has_error()) co_return made.error();
        stream = std::move(*made);
    }
    watchdog limit(pool.executor(), deadline, [&stream] { stream->close(); });
    if (!reused) {
        auto const connected = co_await stream->connect(deadline);
        if (connected.has_error()) co_return explain(limit, request.timeout, connected.error());
    }
    exchange x(*stream, response_reader(request.body_limit, request.method == "HEAD"));
    auto done = co_await send_and_read_head(x, head, request.body);
    if (x.broken) done = *x.broken;
    while (done.has_value() && !x.reader.complete())
        done = co_await read_more(x);
    if (done.has_error()) {
        auto const reason = explain(limit, request.timeout, done.error());
        try_again = reused && !x.answer_began && !request.never_resend &&
                    is_idempotent(request.method) &&
                    (reason.code == errc::truncated || reason.code == errc::unreachable);
        co_return reason;
    }
    auto response = x.reader.head();
    response.body = x.reader.take_body();
    if (limit.disarm() && x.reader.reusable()) slot.keep(std::move(stream));
    co_return response;
}

awaitable<result<std::unique_ptr<http_stream>>> pooled_client::open_on(
    std::shared_ptr<connection_pool> pool, http_request request) {
    auto const deadline = std::chrono::steady_clock::now() + request.timeout;
    auto const head = request_head(request, pool->peer());
    if (head.has_error()) co_return about(request, pool->peer(), head.error());
    auto made = pool->fresh();
    if (made.has_error()) co_return about(request, pool->peer(), made.error());
    auto stream = std::move(*made);
    watchdog limit(pool->executor(), deadline, [&stream] { stream->close(); });
    auto done = co_await stream->connect(deadline);
    exchange x(*stream, response_reader(std::nullopt, request.method == "HEAD"));
    if (done.has_value()) done = co_await send_and_read_head(x, *head, request.body);
    if (done.has_error()) {
        co_return about(request, pool->peer(), explain(limit, request.timeout, done.error()));
    }
    if (!limit.disarm()) {
        co_return about(
            request, pool->peer(),
            failure{errc::timed_out, "no answer within " + limit_text(request.timeout)});
    }
    // Told with each failure of the stream: without the query, which filters make long.
    auto what = request.method + " " + request.target.substr(0, request.target.find('?')) + " at " +
                to_string(pool->peer());
    std::unique_ptr<http_stream> opened = std::make_unique<live_stream>(
        pool->executor(), std::move(stream), std::move(x), std::move(what));
    co_return opened;
}

}  // namespace

result<std::unique_ptr<http_client>> make_http_client(asio::any_io_executor executor,
                                                      http_client_options options) {
    tls_identity identity;
    if (options.peer.transport == endpoint::kind::tls) {
        if (!options.tls.current) {
            auto context = make_client_context(options.tls);
            if (context.has_error()) return context.error();
            identity.context = std::move(*context);
        }
        identity.server_name = options.tls.server_name;
        identity.verify = options.tls.verify;
        identity.server_uri = options.tls.server_uri;
    }
    auto pool = std::make_shared<connection_pool>(std::move(executor), std::move(options),
                                                  std::move(identity));
    return std::unique_ptr<http_client>(std::make_unique<pooled_client>(std::move(pool)));
}

}  // namespace bevmesh::net
