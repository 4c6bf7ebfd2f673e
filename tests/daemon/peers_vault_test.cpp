// The daemons' own certificates from Vault: instead of the files of `tls`, and beside them.
#include <filesystem>
#include <fstream>
#include <stdlib.h>

#include "certs/wire.hpp"
#include "mesh/base/own_certificate.hpp"
#include "mesh/daemon/service_reload.hpp"
#include "tests/catch.hpp"
#include "tests/daemon/peers_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::daemon;
using namespace bevmesh::testing;
using steady = std::chrono::steady_clock;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// A mesh with a Vault, and what that has given a node so far.
struct vault_given {
    vault_given() {
        auto pattern = (fs::temp_directory_path() / "bevmesh-test-XXXXXX").string();
        state = ::mkdtemp(pattern.data());
    }
    ~vault_given() { fs::remove_all(state); }
    vault_given(vault_given const&) = delete;
    vault_given& operator=(vault_given const&) = delete;

    void add_to(mesh_config& config) const {
        config.vault.addresses = {"https://127.0.0.2:8200"};
        config.state_dir = state;
    }
    void give(issued const& files, std::string const& ca_file) const {
        fs::create_directories(folder());
        auto const how = fs::copy_options::overwrite_existing;
        fs::copy_file(files.cert_file, folder() / "cert.pem", how);
        fs::copy_file(files.key_file, folder() / "key.pem", how);
        fs::copy_file(ca_file, folder() / "ca.pem", how);
    }
    void give_crl(std::string const& file) const {
        fs::copy_file(file, folder() / "crl.pem", fs::copy_options::overwrite_existing);
    }
    [[nodiscard]] fs::path folder() const { return state / "certs/bevmesh/current"; }
    [[nodiscard]] secret content(std::string const& name) const {
        std::ifstream file(folder() / name);
        return secret(std::string(std::istreambuf_iterator<char>(file), {}));
    }

    fs::path state;
};

awaitable<void> look_at(std::string address, std::uint16_t port, certs::wire_identity installed,
                        std::string& out) {
    certs::wire_address where{std::move(address), port, certs::greeting::none};
    auto const seen = co_await certs::look(std::move(where), std::move(installed), seconds(3));
    out = seen.has_value() ? "shown" : describe(seen.error());
}

}  // namespace

TEST_CASE("Vault's certificates take the place of the files, node by node and without a gap") {
    authority old("old authority");
    authority root("root of Vault");
    authority vault("intermediate of Vault", root);
    asio::io_context loop;
    auto const port = free_port();
    vault_given to_thanos;
    vault_given to_oracle1;
    auto config = three_nodes(old, "thanos", port);
    to_thanos.add_to(config);
    member thanos(loop, config, "thanos");
    config = three_nodes(old, "oracle1", port);
    to_oracle1.add_to(config);
    member oracle1(loop, config, "oracle1");
    auto const they_talk = [&] {
        CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
        CHECK(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")) == "oracle1 to thanos");
    };
    they_talk();
    auto const of_the_file = thanos.self->certificate_expires();
    CHECK(thanos.self->renew().has_error());
    they_talk();

    to_thanos.give(vault.issue("URI:" + peer_uri("bev", "thanos"), 7'200), vault.ca_file());
    REQUIRE(thanos.self->renew().has_value());
    CHECK(thanos.self->certificate_expires() < of_the_file);
    they_talk();
    to_oracle1.give(vault.issue("URI:" + peer_uri("bev", "oracle1"), 7'200), vault.ca_file());
    REQUIRE(oracle1.self->renew().has_value());
    they_talk();

    // What is in the files no longer matters, and a joining node has none.
    config.tls.key += ".gone";
    CHECK(oracle1.self->configure(config, "b").has_value());
    they_talk();
    config = three_nodes(old, "starlord", port);
    config.tls = {};
    vault_given to_starlord;
    to_starlord.add_to(config);
    to_starlord.give(vault.issue("URI:" + peer_uri("bev", "starlord")), vault.ca_file());
    member starlord(loop, config, "starlord");
    CHECK(answer_of(loop, *starlord.self, "thanos", get_of("/echo")) == "thanos to starlord");
    CHECK(answer_of(loop, *oracle1.self, "starlord", get_of("/echo")) == "starlord to oracle1");
    CHECK(thanos.self->refused() + oracle1.self->refused() + starlord.self->refused() == 0);
}

TEST_CASE("without files the first certificate of Vault is awaited, and begins it all") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    auto config = three_nodes(ca, "oracle1", port);
    config.tls = {};
    vault_given given;
    given.add_to(config);
    auto made = peers::make(loop.get_executor(), config, "oracle1", "");
    REQUIRE(made.has_value());
    auto& oracle1 = **made;
    CHECK_FALSE(oracle1.enabled());
    CHECK(oracle1.awaited());
    CHECK_THAT(answer_of(loop, oracle1, "thanos", get_of("/echo")),
               Catch::Contains("this node has no certificate of Vault yet"));
    net::task_group group(loop.get_executor(), nullptr);
    group.spawn(oracle1.watch(), "watch");
    loop.restart();
    loop.poll();

    given.give(ca.issue("URI:" + peer_uri("bev", "oracle1")), ca.ca_file());
    REQUIRE(oracle1.renew().has_value());
    CHECK(oracle1.enabled());
    auto const& seen = oracle1.views().at("thanos");
    auto const end = steady::now() + seconds(10);
    while (!seen.reachable && steady::now() < end)
        loop.run_one();
    CHECK(seen.reachable);
    group.cancel();
}

TEST_CASE("a node's listener shows its keeper what it installed, which is no refusal") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    auto config = three_nodes(ca, "thanos", port);
    vault_given given;
    given.add_to(config);
    given.give(ca.issue("URI:" + peer_uri("bev", "thanos")), ca.ca_file());
    member thanos(loop, config, "thanos");
    auto const installed = certs::make_wire_identity(
        given.content("cert.pem"), given.content("key.pem"), given.content("ca.pem"));
    REQUIRE(installed.has_value());
    std::string seen;
    run(loop, look_at(config.nodes.at("thanos").address, port, *installed, seen));
    CHECK(seen == "shown");
    CHECK(thanos.self->refused() == 0);
}

TEST_CASE("where Vault's certificate has ended the files of `tls` serve again, without a reload") {
    authority ca;
    authority vault("root of Vault");
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    auto config = three_nodes(ca, "oracle1", port);
    vault_given given;
    given.add_to(config);
    auto const uri = "URI:" + peer_uri("bev", "oracle1");
    given.give(vault.issue(uri, 3'600 + 10), vault.ca_file());
    member oracle1(loop, config, "oracle1");
    auto const of_vault = oracle1.self->certificate_expires();
    net::task_group group(loop.get_executor(), nullptr);
    group.spawn(oracle1.self->watch(), "watch");
    loop.restart();
    auto const end = steady::now() + seconds(25);
    while (oracle1.self->certificate_expires() == of_vault && steady::now() < end)
        loop.run_one();
    CHECK(oracle1.self->certificate_expires() > of_vault);
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    CHECK(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")) == "oracle1 to thanos");
    given.give(vault.issue(uri, 7'200), vault.ca_file());
    REQUIRE(oracle1.self->renew().has_value());
    CHECK(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")) == "oracle1 to thanos");
    group.cancel();
}

TEST_CASE("all who look for the daemon's own certificate look in the same place") {
    auto const tls = peer_tls("/var/lib/bevmesh");
    auto const installed = own_files(tls);
    auto const looked_for = own_certificate_in("/var/lib/bevmesh");
    CHECK(looked_for.folder == tls.folder);
    CHECK(looked_for.certificate == installed.certificate);
    CHECK(looked_for.key == installed.key);
    CHECK(looked_for.trusted == installed.trusted);
}

TEST_CASE(
    "a node whose certificate was revoked is refused by those who have the CRL, until it has "
    "another one") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    auto config = three_nodes(ca, "thanos", port);
    vault_given to_thanos;
    to_thanos.add_to(config);
    to_thanos.give(ca.issue("URI:" + peer_uri("bev", "thanos")), ca.ca_file());
    member thanos(loop, config, "thanos");
    config = three_nodes(ca, "oracle1", port);
    vault_given to_oracle1;
    to_oracle1.add_to(config);
    auto const stolen = ca.issue("URI:" + peer_uri("bev", "oracle1"));
    to_oracle1.give(stolen, ca.ca_file());
    // What it may show besides is out of the way.
    config.tls = {};
    member oracle1(loop, config, "oracle1");
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");

    to_thanos.give_crl(ca.revoke({stolen}));
    REQUIRE(thanos.self->renew().has_value());
    // A connection that is open goes on; one of whoever has the same files does not begin.
    to_oracle1.give(stolen, ca.ca_file());
    REQUIRE(oracle1.self->renew().has_value());
    CHECK_THAT(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")),
               Catch::Contains("our certificate was refused") && Catch::Contains("revoked"));
    CHECK_THAT(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")),
               Catch::Contains("certificate revoked"));
    CHECK(thanos.self->refused() == 1);

    to_oracle1.give(ca.issue("URI:" + peer_uri("bev", "oracle1")), ca.ca_file());
    to_oracle1.give_crl(ca.revoke({stolen}));
    REQUIRE(oracle1.self->renew().has_value());
    CHECK(answer_of(loop, *oracle1.self, "thanos", get_of("/echo")) == "thanos to oracle1");
    CHECK(answer_of(loop, *thanos.self, "oracle1", get_of("/echo")) == "oracle1 to thanos");
}

TEST_CASE("Vault's files that do not serve change nothing") {
    authority ca;
    asio::io_context loop;
    auto const port = free_port();
    member thanos(loop, three_nodes(ca, "thanos", port), "thanos");
    auto config = three_nodes(ca, "oracle1", port);
    config.tls = {};
    vault_given given;
    given.add_to(config);
    given.give(ca.issue("URI:" + peer_uri("bev", "oracle1")), ca.ca_file());
    auto made = peers::make(loop.get_executor(), config, "oracle1", "");
    REQUIRE(made.has_value());
    auto& oracle1 = **made;
    CHECK(answer_of(loop, oracle1, "thanos", get_of("/echo")) == "thanos to oracle1");
    given.give(ca.issue("URI:" + peer_uri("bev", "thanos")), ca.ca_file());
    auto const renewed = oracle1.renew();
    REQUIRE(renewed.has_error());
    CHECK_THAT(renewed.error().doing, Catch::Contains("expected the alternative name"));
    CHECK(answer_of(loop, oracle1, "thanos", get_of("/echo")) == "thanos to oracle1");
    // One that ended while the daemon was down: it starts, and waits for the next.
    given.give(ca.issue("URI:" + peer_uri("bev", "oracle1"), 1'800), ca.ca_file());
    auto const late = peers::make(loop.get_executor(), config, "oracle1", "");
    REQUIRE(late.has_value());
    CHECK((*late)->awaited());
}
