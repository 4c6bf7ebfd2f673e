#include "mesh/net/tcp_connect.hpp"

#include <optional>

#include <boost/asio/redirect_error.hpp>

namespace bevmesh::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct tcp_connector::resolution {
    explicit resolution(asio::any_io_executor const& executor)
        : resolver(executor), done(executor, steady_point::max()) {}

    tcp::resolver resolver;
    asio::steady_timer done;
    error_code error = asio::error::operation_aborted;
    std::vector<tcp::endpoint> found;
};

failure socket_failure(error_code const& error) {
    namespace e = asio::error;
    auto code = errc::unreachable;
    if (error == e::operation_aborted || error == e::bad_descriptor) code = errc::canceled;
    if (error == e::connection_reset || error == e::broken_pipe || error == e::eof) {
        code = errc::truncated;
    }
    return {code, error.message()};
}

tcp_connector::tcp_connector(tcp::socket& socket, std::string host, std::uint16_t port)
    : socket_(socket), host_(std::move(host)), port_(port) {}

void tcp_connector::stop() noexcept {
    stopped_ = true;
    close_socket();
    if (!resolving_) return;
    try {
        resolving_->resolver.cancel();
        resolving_->done.cancel();
    } catch (...) {
        // Only a broken reactor throws here; the resolution then ends by itself.
    }
}

void tcp_connector::close_socket() noexcept {
    error_code ignored;
    socket_.close(ignored);
}

asio::awaitable<result<std::vector<tcp::endpoint>>> tcp_connector::resolve() {
    error_code error;
    auto const literal = asio::ip::make_address(host_, error);
    if (!error) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(literal, port_));

    auto const r = std::make_shared<resolution>(socket_.get_executor());
    resolving_ = r;
    r->resolver.async_resolve(
        host_, std::to_string(port_), tcp::resolver::numeric_service,
        [r](error_code resolve_error, tcp::resolver::results_type const& results) {
            r->error = resolve_error;
            for (auto const& one : results)
                r->found.push_back(one.endpoint());
            r->done.cancel();
        });
    error_code waited;
    co_await r->done.async_wait(asio::redirect_error(asio::use_awaitable, waited));
    resolving_.reset();
    if (stopped_) co_return failure{errc::canceled, "resolve " + host_ + ": given up"};
    if (r->error) {
        auto const code =
            r->error == asio::error::operation_aborted ? errc::canceled : errc::unreachable;
        co_return failure{code, "resolve " + host_ + ": " + r->error.message()};
    }
    co_return std::move(r->found);
}

asio::awaitable<result<void>> tcp_connector::run(steady_point deadline) {
    auto found = co_await resolve();
    if (found.has_error()) co_return found.error();
    auto last = failure{errc::unreachable, "resolve " + host_ + ": no address"};
    auto left = static_cast<long>(found->size());
    for (auto const& address : *found) {
        auto const start = std::chrono::steady_clock::now();
        auto const share = start + (deadline - start) / left;
        error_code error;
        close_socket();
        socket_.open(address.protocol(), error);
        if (!error) {
            // The last one has all that is left, and the caller's own watchdog.
            std::optional<watchdog> limit;
            if (left > 1) limit.emplace(socket_.get_executor(), share, [this] { close_socket(); });
            co_await socket_.async_connect(address,
                                           asio::redirect_error(asio::use_awaitable, error));
            if (limit && limit->expired()) error = asio::error::timed_out;
        }
        --left;
        if (stopped_) co_return failure{errc::canceled, "connect: given up"};
        if (!error) {
            socket_.set_option(tcp::no_delay(true), error);
            socket_.set_option(asio::socket_base::keep_alive(true), error);
            co_return result<void>();
        }
        last = socket_failure(error);
        if (last.code == errc::canceled) break;
        last = failure{errc::unreachable, "connect: " + error.message()};
    }
    co_return last;
}

}  // namespace bevmesh::net
