#include "tests/cli/fake_daemon.hpp"

#include <array>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bevmesh::testing {
namespace {

constexpr unsigned never = 0;

std::string make_directory() {
    std::array<char, 32> name{"/tmp/bevmesh-cli-XXXXXX"};
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return name.data();
}

}  // namespace

fake_daemon::fake_daemon() : directory_(make_directory()) {
    net::listen_options where;
    where.socket_path = socket();
    auto made = net::make_http_server(loop_.get_executor(), where,
                                      [this](net::http_request r) { return handle(std::move(r)); });
    server_ = std::move(made.value());
    boost::asio::co_spawn(loop_, server_->run(), boost::asio::detached);
    thread_ = std::jthread([this] { loop_.run(); });
}

fake_daemon::~fake_daemon() {
    // Requests that hang would keep the loop from its end.
    loop_.stop();
    thread_.join();
    server_.reset();
    ::unlink(socket().c_str());
    ::rmdir(directory_.c_str());
}

void fake_daemon::answer(std::string const& request, std::string body, unsigned status) {
    std::scoped_lock const held(lock_);
    answers_[request] = {status, std::move(body)};
}

void fake_daemon::hang(std::string const& request) {
    answer(request, "", never);
}

std::vector<std::string> fake_daemon::requests() const {
    std::scoped_lock const held(lock_);
    return requests_;
}

net::awaitable<net::http_response> fake_daemon::handle(net::http_request request) {
    auto const what = request.method + " " + request.target;
    net::http_response response;
    response.status = 404;
    response.body = R"({"error": "there is no )" + what + R"(", "code": "not_found"})";
    {
        std::scoped_lock const held(lock_);
        requests_.push_back(request.body.empty() ? what : what + " " + request.body);
        if (auto const it = answers_.find(what); it != answers_.end()) {
            response.status = it->second.first;
            response.body = it->second.second;
        }
    }
    if (response.status == never) {
        boost::asio::steady_timer for_ever(loop_, boost::asio::steady_timer::time_point::max());
        co_await for_ever.async_wait(boost::asio::use_awaitable);
    }
    co_return response;
}

}  // namespace bevmesh::testing
