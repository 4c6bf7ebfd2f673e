// The agent asked over TLS: by files, by the daemon's own certificate of Vault, and from one to the
// other, while requests are under way.
#include <filesystem>
#include <stdlib.h>

#include <boost/asio/ssl/context.hpp>

#include "mesh/base/own_certificate.hpp"
#include "mesh/consul/client.hpp"
#include "mesh/consul/identity.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/http_server.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/certificates.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace fs = std::filesystem;
namespace ssl = boost::asio::ssl;

namespace {

std::string const loopback = "IP:127.0.0.1,URI:agent";

/// An agent's listener with verify_incoming; its certificate may have ended.
net::tls_context listener_of(issued const& files, std::string const& ca_file) {
    auto made = std::make_shared<ssl::context>(ssl::context::tls_server);
    made->use_certificate_chain_file(files.cert_file);
    made->use_private_key_file(files.key_file, ssl::context::pem);
    made->load_verify_file(ca_file);
    made->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    auto* const names = ::SSL_load_client_CA_file(ca_file.c_str());
    ::SSL_CTX_set_client_CA_list(made->native_handle(), names);
    return made;
}

/// An agent that answers a query for `slow` when it is told to, and the node that asks it.
struct agent {
    explicit agent(net::tls_context shown)
        : door(std::make_shared<net::tls_door>()), group(loop.get_executor(), nullptr) {
        auto pattern = (fs::temp_directory_path() / "bevmesh-test-XXXXXX").string();
        state = ::mkdtemp(pattern.data());
        door->context = std::move(shown);
        door->identify = [](std::vector<std::string> const& uris) -> result<std::string> {
            return uris.empty() ? std::string("nobody") : uris.front();
        };
        net::listen_options o;
        o.address = "127.0.0.1";
        o.tls = door;
        auto made = net::make_http_server(
            loop.get_executor(), std::move(o),
            [this](net::http_request request) { return answer(this, std::move(request)); });
        REQUIRE(made.has_value());
        server = std::move(*made);
        group.spawn(server->run(), "server");
        settings.address = "https://127.0.0.1:" + std::to_string(server->port());
        settings.certificates = "vault";
    }
    ~agent() {
        server->stop();
        fs::remove_all(state);
    }
    agent(agent const&) = delete;
    agent& operator=(agent const&) = delete;

    /// Vault's for this node, for who asks as `uri`.
    void give(authority& ca, std::string const& uri, long valid_seconds = 86'400) const {
        auto const own = own_certificate_in(state);
        auto const files = ca.issue("URI:" + uri, valid_seconds);
        fs::create_directories(fs::path(own.certificate).parent_path());
        auto const how = fs::copy_options::overwrite_existing;
        fs::copy_file(files.cert_file, own.certificate, how);
        fs::copy_file(files.key_file, own.key, how);
        fs::copy_file(ca.ca_file(), own.trusted, how);
    }
    void connect() {
        auto made =
            consul::identity::make(settings, state, [this](bool well, std::string const& how) {
                told.push_back((well ? "+ " : "- ") + how);
            });
        REQUIRE(made.has_value());
        as = std::move(*made);
        renew_client();
    }
    /// Without the connections that it kept.
    void renew_client() {
        client = std::move(
            consul::make_client(loop.get_executor(), settings, as, secret("t0ken")).value());
    }
    /// Whom the agent takes the node for, on a new connection, or why there is none.
    std::string asks_as() {
        renew_client();
        std::string got;
        run(loop, ask(*client, "who", got));
        return got;
    }
    std::string reload(bool has_ended) {
        renew_client();
        std::string got;
        run(loop, tell_reload(*client, has_ended, got));
        return got;
    }

    static awaitable<void> ask(consul::client& with, std::string key, std::string& out) {
        consul::blocking const at_once;
        auto const got = co_await with.kv_get(std::move(key), at_once);
        out = got.has_value() ? got->value.key : describe(got.error());
    }
    static awaitable<void> tell_reload(consul::client& with, bool has_ended, std::string& out) {
        auto const got = co_await with.reload(has_ended);
        out = got.has_value() ? "reloaded" : describe(got.error());
    }
    static awaitable<net::http_response> answer(agent* self, net::http_request request) {
        while (request.target == "/v1/kv/slow" && !self->released) {
            milliseconds const pause(5);
            co_await net::sleep_for(pause);
        }
        net::http_response r;
        r.status = 200;
        r.body = R"([{"Key":")" + request.peer + R"(","Value":"","ModifyIndex":1}])";
        if (request.target == "/v1/agent/reload") r.body.clear();
        co_return r;
    }

    boost::asio::io_context loop;
    std::shared_ptr<net::tls_door> door;
    net::task_group group;
    std::unique_ptr<net::http_server> server;
    consul_config settings;
    std::string state;
    std::shared_ptr<consul::identity> as;
    std::unique_ptr<consul::client> client;
    std::vector<std::string> told;
    bool released = false;
};

}  // namespace

TEST_CASE("the first certificate of Vault is awaited with a sentence, and taken as it comes") {
    authority vault;
    agent a(listener_of(vault.issue(loopback), vault.ca_file()));
    a.connect();
    CHECK_THAT(a.asks_as(),
               Catch::Contains("this node has no certificate of Vault yet (" + a.state));
    CHECK_THAT(a.asks_as(), Catch::EndsWith("(local error)"));
    a.give(vault, "spiffe://one");
    CHECK(a.asks_as() == "spiffe://one");
    // One that is kept serves at once after a restart.
    a.connect();
    CHECK(a.asks_as() == "spiffe://one");
}

TEST_CASE("a rotation changes new connections and leaves requests under way alone") {
    authority old("old root");
    authority next("next root");
    agent a(listener_of(old.issue(loopback), old.ca_file()));
    a.give(old, "spiffe://one");
    a.connect();
    std::string slow;
    net::task_group under_way(a.loop.get_executor(), nullptr);
    under_way.spawn(agent::ask(*a.client, "slow", slow), "slow");
    std::string quick;
    run(a.loop, agent::ask(*a.client, "who", quick));
    CHECK(quick == "spiffe://one");

    // The bundle is another, too.
    a.door->context = listener_of(next.issue(loopback), next.ca_file());
    a.give(next, "spiffe://two");
    REQUIRE(a.as->renew().has_value());
    auto const first = std::exchange(a.client, nullptr);
    CHECK(a.asks_as() == "spiffe://two");
    CHECK(slow.empty());
    a.released = true;
    run(a.loop, under_way.join());
    CHECK(slow == "spiffe://one");
    CHECK(a.told == std::vector<std::string>{"+ by the daemon's own certificate of Vault"});
}

TEST_CASE("files of Vault that do not serve leave what there was") {
    authority vault;
    authority stranger("another");
    agent a(listener_of(vault.issue(loopback), vault.ca_file()));
    a.give(vault, "spiffe://one");
    a.connect();
    CHECK(a.asks_as() == "spiffe://one");
    fs::copy_file(stranger.ca_file(), own_certificate_in(a.state).trusted,
                  fs::copy_options::overwrite_existing);
    CHECK(a.as->renew().has_error());
    CHECK(a.asks_as() == "spiffe://one");
    fs::permissions(own_certificate_in(a.state).key, fs::perms::group_read, fs::perm_options::add);
    a.connect();
    CHECK_THAT(a.asks_as(), Catch::Contains("key.pem: is open to others than its owner"));
}

TEST_CASE("files of the configuration give way to Vault's, and serve again when that has ended") {
    authority old("old authority");
    authority vault("root of Vault");
    agent a(listener_of(old.issue(loopback), old.ca_file()));
    auto const files = old.issue("URI:file");
    a.settings.ca_file = old.ca_file();
    a.settings.cert_file = files.cert_file;
    a.settings.key_file = files.key_file;
    a.connect();
    CHECK(a.asks_as() == "file");
    CHECK_THAT(a.told.back(), Catch::StartsWith("- by the files of the configuration: this node"));
    // Both serve: the agent goes over in its own time.
    a.give(vault, "spiffe://one");
    CHECK(a.asks_as() == "file");
    CHECK(a.told.back() == "+ by the daemon's own certificate of Vault");
    a.door->context = listener_of(vault.issue(loopback), vault.ca_file());
    CHECK(a.asks_as() == "spiffe://one");

    auto const soon = 3'600 + 5;
    a.give(vault, "spiffe://short", soon);
    REQUIRE(a.as->renew().has_value());
    CHECK(a.asks_as() == "spiffe://short");
    a.door->context = listener_of(old.issue(loopback), old.ca_file());
    auto const end = std::chrono::steady_clock::now() + seconds(10);
    while (a.told.back().front() == '+' && std::chrono::steady_clock::now() < end)
        CHECK(a.asks_as() == "file");
    CHECK_THAT(a.told.back(), Catch::Contains("cert.pem: expired at"));
    // What is in the files no longer matters to a node that has Vault's.
    a.give(vault, "spiffe://next");
    a.settings.ca_file += ".gone";
    a.connect();
    a.door->context = listener_of(vault.issue(loopback), vault.ca_file());
    CHECK(a.asks_as() == "spiffe://next");
    CHECK(a.told.back().front() == '+');
}

TEST_CASE("a CA alone, beside Vault's, is trusted until the agent has gone over") {
    authority old("old authority");
    authority vault("root of Vault");
    agent a(listener_of(old.issue(loopback), vault.ca_file()));
    a.settings.ca_file = old.ca_file();
    a.give(vault, "spiffe://one");
    a.connect();
    CHECK(a.asks_as() == "spiffe://one");
    a.door->context = listener_of(vault.issue(loopback), vault.ca_file());
    CHECK(a.asks_as() == "spiffe://one");
}

TEST_CASE("an agent of another CA, or with another's name, is refused with the reason") {
    authority vault;
    authority stranger("somebody else");
    agent a(listener_of(stranger.issue(loopback), vault.ca_file()));
    a.give(vault, "spiffe://one");
    a.connect();
    CHECK_THAT(a.asks_as(), Catch::Contains("unable to get local issuer certificate"));
    a.door->context =
        listener_of(vault.issue("IP:10.0.0.1,DNS:server.bev.consul"), vault.ca_file());
    CHECK_THAT(a.asks_as(), Catch::Contains("TLS: certificate not accepted: IP address mismatch"));
    a.settings.server_name = "server.bev.consul";
    CHECK(a.asks_as() == "spiffe://one");
    a.settings.server_name = "server.other.consul";
    CHECK_THAT(a.asks_as(), Catch::Contains("TLS: certificate not accepted: hostname mismatch"));
    // And who shows nothing that the agent trusts.
    a.settings.server_name = "server.bev.consul";
    a.door->context = listener_of(vault.issue("DNS:server.bev.consul"), stranger.ca_file());
    CHECK_THAT(a.asks_as(), Catch::Contains("our certificate was refused"));
}

TEST_CASE("an agent whose certificate has ended is told of the next one, and asked nothing else") {
    authority vault;
    authority stranger("somebody else");
    agent a(listener_of(vault.issue(loopback, 1'800), vault.ca_file()));
    a.give(vault, "spiffe://one");
    a.connect();
    CHECK_THAT(a.asks_as(), Catch::Contains("certificate has expired"));
    CHECK_THAT(a.reload(false), Catch::Contains("certificate has expired"));
    CHECK(a.reload(true) == "reloaded");
    CHECK_THAT(a.asks_as(), Catch::Contains("certificate has expired"));
    a.door->context = listener_of(vault.issue("IP:10.0.0.1", 1'800), vault.ca_file());
    CHECK_THAT(a.reload(true), Catch::Contains("IP address mismatch"));
    a.door->context = listener_of(stranger.issue(loopback), vault.ca_file());
    CHECK_THAT(a.reload(true), Catch::Contains("unable to get local issuer certificate"));
}

TEST_CASE("without Vault the files are used as ever, and one that does not serve is named") {
    authority ca;
    agent a(listener_of(ca.issue(loopback), ca.ca_file()));
    auto const files = ca.issue("URI:file");
    a.settings.certificates = "files";
    a.settings.ca_file = ca.ca_file();
    a.settings.cert_file = files.cert_file;
    a.settings.key_file = files.key_file;
    a.connect();
    CHECK(a.asks_as() == "file");
    CHECK(a.told.empty());
    a.settings.key_file = "/nonexistent/key.pem";
    auto const made = consul::identity::make(a.settings, a.state, {});
    REQUIRE(made.has_error());
    CHECK_THAT(made.error().doing, Catch::Contains("use key /nonexistent/key.pem"));
}
