#include "tests/mesh/mutual_tls_fixture.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "mesh/net/deadline.hpp"
#include "tests/catch.hpp"

namespace bevmesh::testing {

namespace asio = boost::asio;

namespace {

result<std::string> identify(std::vector<std::string> const& uris) {
    for (std::string const node : {"thanos", "oracle1"})
        for (auto const& uri : uris)
            if (uri == uri_of(node)) return node;
    return failure{errc::forbidden, "no node of this mesh"};
}

awaitable<net::http_response> greet(net::http_request request) {
    net::http_response r;
    r.status = 200;
    r.body = request.target + " from " + request.peer;
    co_return r;
}

/// Runs it with these files as standard input and output, to its end.
void run_program(words arguments, std::string const& in, std::string const& out) {
    std::vector<char*> argv;
    for (auto& word : arguments)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    pid_t child = 0;
    if (::posix_spawnp(&child, argv[0], &files, nullptr, argv.data(), environ) == 0)
        ::waitpid(child, nullptr, 0);
    posix_spawn_file_actions_destroy(&files);
}

}  // namespace

door::door(issued const& files, authority const& ca, std::size_t connections_max,
           milliseconds handshake_timeout)
    : tls(std::make_shared<net::tls_door>()), group(loop.get_executor(), nullptr) {
    tls->context = load(files, ca).context;
    tls->identify = identify;
    net::listen_options o;
    o.address = "127.0.0.1";
    o.tls = tls;
    o.connections_max = connections_max;
    o.handshake_timeout = handshake_timeout;
    o.on_error = [this](std::string const& what) { complaints.push_back(what); };
    auto made = net::make_http_server(loop.get_executor(), std::move(o), greet);
    REQUIRE(made.has_value());
    server = std::move(*made);
    group.spawn(server->run(), "server");
}

void door::wait_for_complaint() {
    loop.restart();
    auto const end = std::chrono::steady_clock::now() + seconds(10);
    while (complaints.empty() && std::chrono::steady_clock::now() < end)
        loop.run_one_for(milliseconds(100));
}

net::endpoint door::where() const {
    net::endpoint e;
    e.transport = net::endpoint::kind::tls;
    e.host = "127.0.0.1";
    e.port = server->port();
    return e;
}

std::string uri_of(std::string const& node) {
    return "spiffe://bev/node/" + node + "/service/bevmesh";
}

net::mutual_tls load(issued const& files, authority const& ca, std::string const& crl) {
    auto made = net::load_mutual_tls({files.cert_file, files.key_file, ca.ca_file(), crl});
    if (made.has_error()) FAIL(describe(made.error()));
    return std::move(*made);
}

awaitable<void> ask(net::http_client& client, std::string target, std::string& out) {
    auto request = get(std::move(target), milliseconds(2'000));
    auto const got = co_await client.send(std::move(request));
    out = got.has_value() ? std::to_string(got->status) + " " + got->body : describe(got.error());
}

std::unique_ptr<net::http_client> client_as(door& at, net::tls_context context,
                                            std::string const& meant) {
    net::http_client_options o;
    o.peer = at.where();
    o.tls.context = std::move(context);
    o.tls.server_uri = uri_of(meant);
    auto made = net::make_http_client(at.loop.get_executor(), o);
    REQUIRE(made.has_value());
    return std::move(*made);
}

std::string outcome(door& at, net::tls_context context, std::string const& meant) {
    auto const client = client_as(at, std::move(context), meant);
    std::string got;
    run(at.loop, ask(*client, "/hello", got));
    return got;
}

std::string openssl_outcome(door& at, words const& arguments) {
    auto pattern = (std::filesystem::temp_directory_path() / "bevmesh-test-XXXXXX").string();
    std::filesystem::path const directory(::mkdtemp(pattern.data()));
    auto const in = directory / "in";
    auto const out = directory / "out";
    std::ofstream(in) << "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    words command{"timeout",
                  "5",
                  "openssl",
                  "s_client",
                  "-quiet",
                  "-connect",
                  "127.0.0.1:" + std::to_string(at.server->port())};
    command.insert(command.end(), arguments.begin(), arguments.end());
    bool done = false;
    std::thread outside([&] {
        run_program(command, in, out);
        asio::post(at.loop, [&] { done = true; });
    });
    auto const stay = asio::make_work_guard(at.loop);
    at.loop.restart();
    while (!done)
        at.loop.run_one();
    outside.join();
    std::ifstream file(out);
    std::string const answer(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove_all(directory);
    INFO(answer);
    CHECK_FALSE(answer.empty());
    return answer.find("HTTP/1.1 200") != std::string::npos ? "answered" : "refused";
}

words as_client(issued const& files, words const& more) {
    words all{"-cert", files.cert_file, "-key", files.key_file};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace bevmesh::testing
