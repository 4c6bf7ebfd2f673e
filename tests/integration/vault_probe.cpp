// The daemon's part that talks to Vault, alone: vault_probe CONFIG NODE.
//
// Logs in and stays so as the daemon does; what the login tells goes to standard output as
// "tell LEVEL TEXT". Each line of standard input is a request, answered by one line that begins
// with "ok" or with the kind of failure:
//   sign CSR_FILE COMMON_NAME URI   secret PATH   role   issuers   crls   health   state
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/loader.hpp"
#include "mesh/daemon/vault_link.hpp"
#include "mesh/net/task_group.hpp"

using namespace bevmesh;
namespace asio = boost::asio;

namespace {

using reply = result<std::string>;

net::awaitable<reply> sign(vault::client& client, std::istringstream& words) {
    vault::sign_request wanted;
    std::string csr_file;
    std::string uri;
    words >> csr_file >> wanted.common_name >> uri;
    std::ifstream file(csr_file);
    wanted.csr = std::string(std::istreambuf_iterator<char>(file), {});
    if (!uri.empty()) wanted.uri_sans.push_back(uri);
    auto const got = co_await client.sign(std::move(wanted));
    if (got.has_error()) co_return got.error();
    co_return got->serial + " " + std::to_string(got->chain.size());
}

net::awaitable<reply> read(vault::client& client, std::istringstream& words) {
    std::string path;
    words >> path;
    auto const got = co_await client.read_secret("bev", std::move(path));
    if (got.has_error()) co_return got.error();
    co_return std::to_string(got->data.size()) + " values";
}

net::awaitable<reply> answer(daemon::vault_link& link, std::string line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    auto& client = link.client();
    if (verb == "sign") co_return co_await sign(client, words);
    if (verb == "secret") co_return co_await read(client, words);
    if (verb == "role") {
        auto const got = co_await client.role();
        if (got.has_error()) co_return got.error();
        co_return std::to_string(got->max_ttl.count());
    }
    if (verb == "issuers") {
        auto const got = co_await client.issuers();
        if (got.has_error()) co_return got.error();
        co_return std::to_string(got->size());
    }
    if (verb == "crls") {
        auto const got = co_await client.crls();
        if (got.has_error()) co_return got.error();
        co_return std::to_string(got->size()) + " bytes";
    }
    if (verb == "health") {
        auto const got = co_await client.health();
        std::string states;
        for (auto const& one : got)
            states += one.health.has_value() ? std::string(vault::name(one.health->state)) + " "
                                             : std::string("away ");
        co_return states;
    }
    auto const state = link.login();
    auto const left = state.token_left ? state.token_left->count() : -1;
    co_return std::string(state.logged_in ? "in " : "out ") + std::to_string(left);
}

net::awaitable<void> serve(daemon::vault_link* link, asio::posix::stream_descriptor* input,
                           net::task_group* tasks) {
    asio::streambuf buffer;
    boost::system::error_code ended;
    for (;;) {
        co_await asio::async_read_until(*input, buffer, '\n',
                                        asio::redirect_error(asio::use_awaitable, ended));
        if (ended) break;
        std::string line;
        std::istream stream(&buffer);
        std::getline(stream, line);
        auto const got = co_await answer(*link, std::move(line));
        if (got.has_value())
            std::cout << "ok " << *got << std::endl;
        else
            std::cout << name(got.error().code) << ": " << got.error().doing << std::endl;
    }
    tasks->cancel();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 1;
    auto const loaded = config::load_file(argv[1]);
    for (auto const& problem : loaded.problems)
        std::cerr << config::to_string(problem) << "\n";
    if (!loaded.problems.empty()) return 1;
    asio::io_context loop(1);
    auto const tell = [](vault::say level, std::string const& text) {
        auto const* const word = level == vault::say::alarm     ? "alarm"
                                 : level == vault::say::warning ? "warning"
                                                                : "information";
        std::cout << "tell " << word << " " << text << std::endl;
    };
    auto made = daemon::vault_link::make(loop.get_executor(), loaded.value, argv[2], 1, tell);
    if (made.has_error()) {
        std::cerr << describe(made.error()) << "\n";
        return 1;
    }
    asio::posix::stream_descriptor input(loop, ::dup(STDIN_FILENO));
    net::task_group tasks(loop.get_executor(), [](std::string_view task, std::string const& what) {
        std::cerr << task << ": " << what << "\n";
    });
    tasks.spawn((*made)->run(), "session");
    tasks.spawn(serve(made->get(), &input, &tasks), "requests");
    loop.run();
    return 0;
}
