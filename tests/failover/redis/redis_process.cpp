#include "tests/failover/redis/redis_process.hpp"

#include <fstream>
#include <poll.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"

namespace bevmesh::testing {

void run(boost::asio::io_context& loop, awaitable<void> test) {
    std::exception_ptr thrown;
    bool ended = false;
    boost::asio::co_spawn(loop, std::move(test), [&](std::exception_ptr const& error) {
        thrown = error;
        ended = true;
        loop.stop();
    });
    loop.restart();
    loop.run_for(seconds(30));
    REQUIRE(ended);
    if (thrown) std::rethrow_exception(thrown);
}

redis_process::redis_process(std::vector<std::string> configuration) : port_(free_port()) {
    REQUIRE(::mkdir(directory().c_str(), 0700) == 0);
    std::ofstream out(file());
    out << "bind 127.0.0.1\ndir " << directory() << "\nsave \"\"\nrepl-diskless-sync-delay 0\n"
        << "repl-backlog-size 16mb\n";
    bool plain = true;
    for (auto const& line : configuration) {
        std::string const trusted = "tls-ca-cert-file ";
        if (line.starts_with(trusted)) ca_file = line.substr(trusted.size());
        if (line == "tls")
            plain = false;
        else
            out << line << '\n';
    }
    tls = !plain;
    out << (plain ? "port " : "port 0\ntls-port ") << port_ << '\n';
    out << "replicaof 127.0.0.1 1\n";
    out.close();
    start();
}

void redis_process::start() {
    command what;
    what.argv = {"/usr/bin/redis-server", file()};
    what.log = where_.path("log");
    process_ = std::make_unique<child>(in_image(what));
    auto const limit = net::now() + seconds(10);
    for (;;) {
        boost::asio::io_context loop;
        bool up = false;
        run(loop, [](redis_process const& me, bool& answered) -> awaitable<void> {
            auto const executor = co_await boost::asio::this_coro::executor;
            auto made = redis::make_connection(executor, me.login());
            if (!made) co_return;
            auto const at = std::chrono::steady_clock::now() + seconds(1);
            auto const opened = co_await (*made)->open(at);
            if (!opened) {
                answered = opened.error().code == errc::forbidden;
                co_return;
            }
            // It listens before it has looked at its data; an answer comes after that.
            std::vector<std::string> ping{"PING"};
            auto const pong = co_await (*made)->call(std::move(ping), at);
            answered = pong.has_value();
        }(*this, up));
        if (up) return;
        REQUIRE(net::now() < limit);
        REQUIRE(process_->runs());
        ::poll(nullptr, 0, 5);
    }
}

void redis_process::kill() {
    process_.reset();
}

redis::settings redis_process::login() const {
    redis::settings how;
    how.where.transport = tls ? net::endpoint::kind::tls : net::endpoint::kind::tcp;
    how.where.host = "127.0.0.1";
    how.where.port = port_;
    how.tls.ca_file = ca_file;
    how.user = user;
    how.password = secret(password);
    return how;
}

awaitable<redis::reply> ask(redis_process const& whom, std::vector<std::string> argv) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto made = redis::make_connection(executor, whom.login());
    auto const limit = std::chrono::steady_clock::now() + seconds(5);
    redis::reply gone;
    gone.is = redis::reply::kind::error;
    gone.text = "GONE";
    auto const opened = co_await (*made)->open(limit);
    if (!opened) co_return gone;
    auto answer = co_await (*made)->call(std::move(argv), limit);
    if (answer) co_return std::move(*answer);
    co_return gone;
}

awaitable<std::string> info(redis_process const& whom, std::string field) {
    std::vector<std::string> argv{"INFO"};
    auto const answer = co_await ask(whom, std::move(argv));
    auto const all = failover::redis::read_info(answer.text);
    auto const at = all.find(field);
    co_return at == all.end() ? std::string() : at->second;
}

awaitable<void> until(redis_process const& whom, std::string field, std::string value) {
    auto const limit = net::now() + seconds(10);
    for (;;) {
        auto const now = co_await info(whom, field);
        if (now == value) co_return;
        INFO(field << " is " << now << ", not " << value);
        REQUIRE(net::now() < limit);
        co_await net::sleep_for(milliseconds(2));
    }
}

}  // namespace bevmesh::testing
