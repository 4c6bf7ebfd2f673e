// Who gets in at a listener that asks for certificates, tried with openssl's own client and ours.
#include "mesh/net/mutual_tls.hpp"

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
#include "mesh/net/http_server.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

namespace {

std::string uri_of(std::string const& node) {
    return "spiffe://bev/node/" + node + "/service/bevmesh";
}

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

net::mutual_tls load(issued const& files, authority const& ca) {
    auto made = net::load_mutual_tls({files.cert_file, files.key_file, ca.ca_file()});
    if (made.has_error()) FAIL(describe(made.error()));
    return std::move(*made);
}

/// A listener of node thanos, and what it complained of.
struct door {
    explicit door(issued const& files, authority const& ca, std::size_t connections_max = 64,
                  milliseconds handshake_timeout = seconds(10))
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
    ~door() { server->stop(); }

    /// The client may have ended before this side has read what it sent.
    void wait_for_complaint() {
        loop.restart();
        auto const end = std::chrono::steady_clock::now() + seconds(10);
        while (complaints.empty() && std::chrono::steady_clock::now() < end)
            loop.run_one_for(milliseconds(100));
    }

    [[nodiscard]] net::endpoint where() const {
        net::endpoint e;
        e.transport = net::endpoint::kind::tls;
        e.host = "127.0.0.1";
        e.port = server->port();
        return e;
    }

    asio::io_context loop;
    std::shared_ptr<net::tls_door> tls;
    std::unique_ptr<net::http_server> server;
    net::task_group group;
    std::vector<std::string> complaints;
};

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

std::string outcome(door& at, net::tls_context context, std::string const& meant = "thanos") {
    auto const client = client_as(at, std::move(context), meant);
    std::string got;
    run(at.loop, ask(*client, "/hello", got));
    return got;
}

using words = std::vector<std::string>;

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

/// What `openssl s_client` with these arguments makes of the listener: "answered" or "refused".
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

words as_client(issued const& files, words const& more = {}) {
    words all{"-cert", files.cert_file, "-key", files.key_file};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace

TEST_CASE("nodes of the mesh know each other by certificate") {
    authority ca;
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const oracle1 = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK(oracle1.uris == std::vector<std::string>{uri_of("oracle1")});
    CHECK(outcome(thanos, oracle1.context) == "200 /hello from oracle1");
    CHECK(openssl_outcome(thanos, as_client(ca.issue("URI:" + uri_of("oracle1")))) == "answered");
    CHECK(thanos.complaints.empty());
}

TEST_CASE("a client that is no node of the mesh is refused in the handshake and told of") {
    authority ca;
    authority stranger("another mesh");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const uri = "URI:" + uri_of("oracle1");
    auto const refused = [&](words const& arguments, std::string const& why) {
        thanos.complaints.clear();
        INFO(why);
        CHECK(openssl_outcome(thanos, arguments) == "refused");
        thanos.wait_for_complaint();
        REQUIRE(thanos.complaints.size() == 1);
        CHECK_THAT(thanos.complaints[0], Catch::Contains(why));
        CHECK_THAT(thanos.complaints[0], Catch::Contains("from 127.0.0.1"));
    };
    refused({}, "peer did not return a certificate");
    refused(as_client(stranger.issue(uri)), "unable to get local issuer certificate");
    refused(as_client(ca.issue(uri, 1'800)), "certificate has expired");
    refused(as_client(ca.issue("URI:spiffe://other/node/oracle1/service/bevmesh")), "no node");
    refused(as_client(ca.issue("URI:spiffe://bev/node/oracle1/service/redis")), "no node");
    refused(as_client(ca.issue("DNS:oracle1")), "no node");
    refused(as_client(ca.issue(uri), {"-tls1_2"}), "unsupported protocol");
    // Below its own level 0 OpenSSL's client would not even try.
    refused(as_client(ca.issue(uri), {"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"}),
            "unsupported protocol");
}

TEST_CASE("certificates of an intermediate serve those who have the root alone") {
    authority root;
    authority ca("intermediate", root);
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const uri = "URI:" + uri_of("oracle1");
    CHECK(outcome(thanos, load(ca.issue(uri), root).context) == "200 /hello from oracle1");
    CHECK(outcome(thanos, load(root.issue(uri), root).context) == "200 /hello from oracle1");
    CHECK(thanos.complaints.empty());
}

TEST_CASE("our client says why it was refused, and whom it met instead of the one that it meant") {
    authority ca;
    authority stranger("another mesh");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const me = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK_THAT(outcome(thanos, me.context, "starlord"),
               Catch::Contains("the certificate is for " + uri_of("thanos") + ", expected " +
                               uri_of("starlord") + " (unreachable)"));
    auto const unknown = load(ca.issue("URI:" + uri_of("elsewhere")), ca);
    CHECK_THAT(outcome(thanos, unknown.context), Catch::Contains("our certificate was refused"));
    auto const other = load(stranger.issue("URI:" + uri_of("oracle1")), stranger);
    CHECK_THAT(outcome(thanos, other.context), Catch::Contains("(unreachable)"));
}

TEST_CASE("a reload changes whom new connections meet; the open ones live on") {
    authority ca;
    authority next("next authority");
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca);
    auto const before =
        client_as(thanos, load(ca.issue("URI:" + uri_of("oracle1")), ca).context, "thanos");
    std::string got;
    run(thanos.loop, ask(*before, "/first", got));
    CHECK(got == "200 /first from oracle1");
    thanos.tls->context = load(next.issue("URI:" + uri_of("thanos")), next).context;
    run(thanos.loop, ask(*before, "/second", got));
    CHECK(got == "200 /second from oracle1");
    auto const fresh = load(next.issue("URI:" + uri_of("oracle1")), next);
    CHECK(outcome(thanos, fresh.context) == "200 /hello from oracle1");
    auto const stale = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    CHECK_THAT(outcome(thanos, stale.context), Catch::Contains("(unreachable)"));
}

TEST_CASE("a node with two certificates shows each peer the one of a CA that it trusts") {
    authority old("old authority");
    authority root("new authority");
    authority next("intermediate", root);
    auto const either = [&](std::string const& node) {
        auto made = net::show_either(load(next.issue("URI:" + uri_of(node)), next),
                                     load(old.issue("URI:" + uri_of(node)), old));
        REQUIRE(made.has_value());
        return made->context;
    };
    auto const before = load(old.issue("URI:" + uri_of("oracle1")), old);
    auto const after = load(next.issue("URI:" + uri_of("oracle1")), next);
    std::string const greeted = "200 /hello from oracle1";

    door thanos(old.issue("URI:" + uri_of("thanos")), old);
    thanos.tls->context = either("thanos");
    CHECK(outcome(thanos, before.context) == greeted);
    CHECK(outcome(thanos, after.context) == greeted);
    CHECK(outcome(thanos, either("oracle1")) == greeted);
    // openssl's client shows what it has and says of no CA that it trusts it.
    CHECK(openssl_outcome(thanos, as_client(old.issue("URI:" + uri_of("oracle1")))) == "answered");

    door still_before(old.issue("URI:" + uri_of("thanos")), old);
    CHECK(outcome(still_before, either("oracle1")) == greeted);
    CHECK_THAT(outcome(still_before, after.context), Catch::Contains("(unreachable)"));
    door already_after(next.issue("URI:" + uri_of("thanos")), next);
    CHECK(outcome(already_after, either("oracle1")) == greeted);
    CHECK_THAT(outcome(already_after, before.context), Catch::Contains("(unreachable)"));
    CHECK(thanos.complaints.empty());
}

TEST_CASE("silent strangers are let go at the deadline and keep no node out") {
    authority ca;
    door thanos(ca.issue("URI:" + uri_of("thanos")), ca, 4, milliseconds(400));
    std::vector<tcp::socket> strangers;
    for (int i = 0; i < 6; ++i) {
        strangers.emplace_back(thanos.loop);
        strangers.back().connect({asio::ip::address_v4::loopback(), thanos.server->port()});
    }
    auto const me = load(ca.issue("URI:" + uri_of("oracle1")), ca);
    auto const client = client_as(thanos, me.context, "thanos");
    std::string got;
    auto const end = std::chrono::steady_clock::now() + seconds(10);
    while (!got.starts_with("200") && std::chrono::steady_clock::now() < end)
        run(thanos.loop, ask(*client, "/hello", got));
    CHECK(got == "200 /hello from oracle1");
    REQUIRE_FALSE(thanos.complaints.empty());
    CHECK(thanos.complaints[0].find("no handshake within 400ms") != std::string::npos);
}

TEST_CASE("files that cannot serve are refused with their name and what was expected") {
    authority ca;
    authority stranger("another mesh");
    auto const uri = "URI:" + uri_of("thanos");
    auto const good = ca.issue(uri);
    auto const refusal = [&](std::string cert, std::string key, std::string ca_file) {
        auto const made =
            net::load_mutual_tls({std::move(cert), std::move(key), std::move(ca_file)});
        REQUIRE(made.has_error());
        return made.error().doing;
    };
    CHECK(refusal("/nonexistent/a.pem", good.key_file, ca.ca_file()) ==
          "TLS certificate /nonexistent/a.pem: cannot be read: No such file or directory");
    CHECK(refusal(good.cert_file, ca.issue(uri).key_file, ca.ca_file())
              .find("does not fit the certificate " + good.cert_file) != std::string::npos);
    CHECK(refusal(good.key_file, good.key_file, ca.ca_file()).find("expected a PEM certificate") !=
          std::string::npos);
    CHECK(refusal(good.cert_file, good.cert_file, ca.ca_file())
              .find(good.cert_file + ": is open to others") != std::string::npos);
    CHECK(refusal(good.cert_file, good.key_file, good.key_file).find("expected PEM certificates") !=
          std::string::npos);
    CHECK(
        refusal(good.cert_file, good.key_file, stranger.ca_file()).find("expected one of the CA") !=
        std::string::npos);
    auto const old = ca.issue(uri, 1'800);
    CHECK_THAT(refusal(old.cert_file, old.key_file, ca.ca_file()),
               Catch::Contains(old.cert_file + ": expired at 20"));
    std::filesystem::permissions(good.key_file, std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    CHECK(refusal(good.cert_file, good.key_file, ca.ca_file()) ==
          "TLS key " + good.key_file +
              ": is open to others than its owner; expected mode 0600 or less");
}
