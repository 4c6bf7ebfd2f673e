#include "tests/mesh/net_fixture.hpp"

#include <array>
#include <charconv>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tests/catch.hpp"

namespace bevmesh::testing {

namespace asio = boost::asio;
using boost::system::error_code;

void run(asio::io_context& loop, awaitable<void> test) {
    bool ended = false;
    std::exception_ptr thrown;
    asio::co_spawn(loop, std::move(test), [&](std::exception_ptr const& error) {
        ended = true;
        thrown = error;
    });
    auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!ended && std::chrono::steady_clock::now() < limit) {
        loop.restart();
        if (loop.run_one_until(limit) == 0) break;
    }
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(ended);
}

awaitable<std::string> wire::request() {
    auto head_end = unread_.find("\r\n\r\n");
    std::size_t size = 0;
    for (;;) {
        if (head_end != std::string::npos) {
            auto const at = unread_.find("Content-Length: ");
            std::size_t body = 0;
            if (at < head_end) {
                std::from_chars(unread_.data() + at + 16, unread_.data() + head_end, body);
            }
            size = head_end + 4 + body;
            if (unread_.size() >= size) break;
        }
        std::array<char, 4096> buffer{};
        error_code error;
        auto const n = co_await socket_.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return "";
        unread_.append(buffer.data(), n);
        head_end = unread_.find("\r\n\r\n");
    }
    auto text = unread_.substr(0, size);
    unread_.erase(0, size);
    co_return text;
}

awaitable<void> wire::send(std::string bytes) {
    error_code ignored;
    co_await asio::async_write(socket_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, ignored));
}

awaitable<void> wire::until_closed() {
    std::array<char, 4096> buffer{};
    error_code error;
    while (!error) {
        co_await socket_.async_read_some(asio::buffer(buffer),
                                         asio::redirect_error(asio::use_awaitable, error));
    }
}

void wire::reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
}

struct scripted_server::state {
    state(asio::io_context& loop, std::vector<script> s)
        : group(loop.get_executor(), nullptr),
          acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          scripts(std::move(s)) {}

    static awaitable<void> accept_all(std::shared_ptr<state> s) {
        for (;;) {
            auto socket = co_await s->acceptor.async_accept(asio::use_awaitable);
            auto const connection = std::make_shared<wire>(std::move(socket));
            auto const which = std::min(s->accepted, s->scripts.size() - 1);
            ++s->accepted;
            s->group.spawn(s->scripts[which](connection), "script");
        }
    }

    net::task_group group;
    tcp::acceptor acceptor;
    std::vector<script> scripts;
    std::size_t accepted = 0;
};

namespace {

awaitable<void> play_answer(std::shared_ptr<wire> w, std::string bytes, bool wait) {
    co_await w->request();
    co_await w->send(std::move(bytes));
    if (wait) co_await w->until_closed();
}

awaitable<void> play_echo(std::shared_ptr<wire> w) {
    for (;;) {
        auto const request = co_await w->request();
        if (request.empty()) co_return;
        auto const line = request.substr(0, request.find("\r\n"));
        auto text =
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(line.size()) + "\r\n\r\n" + line;
        co_await w->send(std::move(text));
    }
}

awaitable<void> play_silence(std::shared_ptr<wire> w) {
    co_await w->request();
    co_await w->until_closed();
}

}  // namespace

scripted_server::scripted_server(asio::io_context& loop, std::vector<script> scripts)
    : state_(std::make_shared<state>(loop, std::move(scripts))) {
    state_->group.spawn(state::accept_all(state_), "accept");
}

scripted_server::~scripted_server() {
    state_->acceptor.close();
    state_->group.cancel();
}

net::endpoint scripted_server::where() const {
    net::endpoint e;
    e.host = "127.0.0.1";
    e.port = state_->acceptor.local_endpoint().port();
    return e;
}

std::size_t scripted_server::connections() const {
    return state_->accepted;
}

script answer(std::string bytes) {
    return [bytes](std::shared_ptr<wire> w) { return play_answer(std::move(w), bytes, true); };
}

script answer_and_close(std::string bytes) {
    return [bytes](std::shared_ptr<wire> w) { return play_answer(std::move(w), bytes, false); };
}

script echo() {
    return [](std::shared_ptr<wire> w) { return play_echo(std::move(w)); };
}

script silence() {
    return [](std::shared_ptr<wire> w) { return play_silence(std::move(w)); };
}

std::unique_ptr<net::http_client> client_of(asio::io_context& loop, net::endpoint where,
                                            std::size_t connections_max) {
    net::http_client_options options;
    options.peer = std::move(where);
    options.connections_max = connections_max;
    return std::move(net::make_http_client(loop.get_executor(), std::move(options)).value());
}

net::http_request get(std::string target, milliseconds timeout) {
    net::http_request r;
    r.target = std::move(target);
    r.timeout = timeout;
    return r;
}

}  // namespace bevmesh::testing
