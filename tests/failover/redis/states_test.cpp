// The states that are no death: loading, busy, misconfigured, locked out, frozen; and lost answers.
#include <array>
#include <csignal>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tests/failover/redis/calls.hpp"
#include "tests/mesh/certificates.hpp"

namespace bevmesh::failover::redis {
namespace {

using namespace testing;
using boost::asio::ip::tcp;

TEST_CASE("A server that loads its data says so, and is neither promoted nor dead") {
    redis_process a({"key-load-delay 1000", "loading-process-events-interval-bytes 1024"});
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            co_await make_primary(*s);
            auto const script = co_await ask(
                one, words("EVAL", "for i=1,2000 do redis.call('SET','k'..i,i) end", "0"));
            CHECK_FALSE(script.failed());
            auto const saved = co_await ask(one, words("SAVE"));
            CHECK_FALSE(saved.failed());
            one.kill();
            one.start();
            auto const seen = co_await s->probe(limit);
            INFO((seen.has_error() ? seen.error().detail : std::string()));
            REQUIRE(seen.has_value());
            CHECK(seen->loading);
            CHECK(to_facts(*seen, addresses(), true).condition == condition::loading);
            auto const promoted = co_await s->promote(seen->run_id, later(), 0, 1, limit);
            REQUIRE(promoted.has_error());
            CHECK(promoted.error().why == condition::loading);
            CHECK(promoted.error().effect == outcome::refused);
        },
        a);
}

TEST_CASE("A script that runs is killed for a demotion; one that has written is told as busy") {
    bool const writes = GENERATE(false, true);
    redis_process a({"lua-time-limit 10"});
    on_loop(
        [](executor on, redis_process& one, bool const& has_written) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            std::string const body =
                has_written ? "redis.call('SET','k','v') while true do end" : "while true do end";
            auto script = ask(one, words("EVAL", body, "0"));
            boost::asio::co_spawn(on, std::move(script), boost::asio::detached);
            for (;;) {
                auto const seen = co_await s->probe(limit);
                if (seen.has_error() && seen.error().why == condition::busy) break;
                co_await net::sleep_for(milliseconds(5));
            }
            auto const proved = co_await s->prove(run_id, limit);
            REQUIRE(proved.has_error());
            auto const demoted = co_await s->demote(std::string(), std::nullopt, limit);
            if (!has_written) {
                INFO((demoted.has_error() ? demoted.error().detail : std::string()));
                CHECK(demoted.has_value());
            } else {
                REQUIRE(demoted.has_error());
                CHECK(demoted.error().why == condition::busy);
                CHECK(demoted.error().effect == outcome::refused);
            }
        },
        a, writes);
}

TEST_CASE("MISCONF: it answers, and takes no write, because it cannot save") {
    redis_process a({"save 3600 1", "dbfilename taken"});
    REQUIRE(::mkdir((a.directory() + "/taken").c_str(), 0700) == 0);
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            co_await ask(one, words("SET", "k", "v"));
            auto const saved = co_await s->save(run_id, seconds(5));
            REQUIRE(saved.has_error());
            auto const proved = co_await s->prove(run_id, limit);
            REQUIRE(proved.has_error());
            CHECK(proved.error().why == condition::write_fails);
            CHECK(proved.error().effect == outcome::refused);
            CHECK(proved.error().detail.find("MISCONF") != std::string::npos);
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            CHECK(to_facts(*seen, addresses(), true).condition == condition::write_fails);
        },
        a);
}

TEST_CASE("A missing or a wrong password is told as that, and never printed") {
    redis_process a({"requirepass right", "masterauth right"});
    std::string const given = GENERATE("", "wrong-secret");
    a.password = given;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_error());
            CHECK(seen.error().why == condition::bad_credentials);
            CHECK(seen.error().effect == outcome::refused);
            CHECK(seen.error().detail.find("wrong-secret") == std::string::npos);
        },
        a);
}

TEST_CASE("A file of ours that is gone says nothing of the server") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            server_options how;
            auto login = one.login();
            login.where.transport = net::endpoint::kind::tls;
            login.tls.ca_file = "/nowhere/ca.pem";
            how.login = [login] { return login; };
            auto const s = make_server(on, std::move(how));
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_error());
            INFO(seen.error().detail);
            CHECK(seen.error().why == condition::bad_credentials);
        },
        a);
}

TEST_CASE("Files that change are those of the next connection") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            server_options how;
            auto login = one.login();
            login.where.port = 1;  // where nobody listens
            how.login = [&login] { return login; };
            auto const s = make_server(on, std::move(how));
            auto seen = co_await s->probe(limit);
            CHECK(seen.has_error());
            login = one.login();
            seen = co_await s->probe(limit);
            CHECK(seen.has_value());
        },
        a);
}

TEST_CASE("An ACL user with the commands that failover needs promotes, follows and demotes") {
    std::string const rules =
        "user mesh on >s3cret ~bevmesh:* +ping +info +role +config|get +config|set +client|pause "
        "+client|unpause +client|kill +replicaof +set +bgsave +script|kill +function|kill +psync "
        "+replconf";
    redis_process a({rules});
    redis_process b({rules});
    for (auto* one : {&a, &b}) {
        one->user = "mesh";
        one->password = "s3cret";
    }
    on_loop(
        [](executor on, redis_process& one, redis_process& other) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const replica = calls_to(on, other);
            co_await make_replica(*replica, other, one);
            auto const gate = co_await s->set_gate(run_id, 1, 1, limit);
            CHECK(gate.has_value());
            auto const proved = co_await s->prove(run_id, limit);
            CHECK(proved.has_value());
            auto const drained = co_await s->drain(run_id, other.login(), limit, seconds(5));
            CHECK(drained.has_value());
            auto const demoted = co_await s->demote(run_id, std::nullopt, limit);
            INFO((demoted.has_error() ? demoted.error().detail : std::string()));
            CHECK(demoted.has_value());
        },
        a, b);
}

TEST_CASE("Over TLS, with a certificate for the address and none other") {
    authority ca;
    auto const theirs = ca.issue("IP:127.0.0.1");
    redis_process a({"tls", "tls-cert-file " + theirs.cert_file, "tls-key-file " + theirs.key_file,
                     "tls-ca-cert-file " + ca.ca_file(), "tls-auth-clients no",
                     "tls-replication yes"});
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            auto const proved = co_await s->prove(run_id, limit);
            CHECK(proved.has_value());
            authority const another;
            one.ca_file = another.ca_file();
            auto const stranger = calls_to(on, one);
            auto const refused = co_await stranger->probe(limit);
            REQUIRE(refused.has_error());
            CHECK(refused.error().effect == outcome::refused);
            CHECK(refused.error().detail.find("certificate") != std::string::npos);
        },
        a);
}

TEST_CASE(
    "A frozen server is told as hung within the limit, and nothing is known of what was sent") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            auto const s = calls_to(on, one);
            auto const run_id = co_await make_primary(*s);
            one.process().signal(SIGSTOP);
            auto const seen = co_await s->probe(milliseconds(150));
            REQUIRE(seen.has_error());
            CHECK(seen.error().why == condition::hung);
            auto const demoted = co_await s->demote(run_id, std::nullopt, milliseconds(100));
            REQUIRE(demoted.has_error());
            CHECK(demoted.error().why == condition::hung);
            auto const proved = co_await s->prove(std::string(), milliseconds(1'000));
            REQUIRE(proved.has_error());
            CHECK(proved.error().effect == outcome::unknown);
            one.process().signal(SIGCONT);
        },
        a);
}

/// Passes bytes on until the client has said `word`; what the server answers after that is lost.
awaitable<void> forgetful(tcp::socket client, std::uint16_t port, std::string word) {
    boost::system::error_code e;
    tcp::socket server(client.get_executor());
    tcp::endpoint const where(boost::asio::ip::address_v4::loopback(), port);
    co_await server.async_connect(where,
                                  boost::asio::redirect_error(boost::asio::use_awaitable, e));
    std::array<char, 8192> buffer{};
    auto const token = [&] { return boost::asio::redirect_error(boost::asio::use_awaitable, e); };
    for (;;) {
        auto n = co_await client.async_read_some(boost::asio::buffer(buffer), token());
        if (e) co_return;
        std::string const said(buffer.data(), n);
        co_await boost::asio::async_write(server, boost::asio::buffer(said), token());
        n = co_await server.async_read_some(boost::asio::buffer(buffer), token());
        if (e || said.find(word) != std::string::npos) co_return;
        std::string const answer(buffer.data(), n);
        co_await boost::asio::async_write(client, boost::asio::buffer(answer), token());
    }
}

awaitable<void> serve_forgetfully(tcp::acceptor& at, std::uint16_t port, std::string word) {
    for (;;) {
        boost::system::error_code e;
        auto client =
            co_await at.async_accept(boost::asio::redirect_error(boost::asio::use_awaitable, e));
        if (e) co_return;
        auto one = forgetful(std::move(client), port, word);
        boost::asio::co_spawn(at.get_executor(), std::move(one), boost::asio::detached);
    }
}

TEST_CASE("An answer that is lost leaves `unknown`, also when the command was carried out") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            tcp::endpoint const any(boost::asio::ip::address_v4::loopback(), 0);
            tcp::acceptor at(on, any);
            auto proxy = serve_forgetfully(at, one.port(), std::string("REPLICAOF"));
            boost::asio::co_spawn(on, std::move(proxy), boost::asio::detached);
            server_options through;
            auto login = one.login();
            login.where.port = at.local_endpoint().port();
            through.login = [login] { return login; };
            auto const s = make_server(on, std::move(through));
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_value());
            auto const promoted = co_await s->promote(seen->run_id, later(), 0, 1, limit);
            REQUIRE(promoted.has_error());
            CHECK(promoted.error().effect == outcome::unknown);
            auto role = co_await info(one, "role");
            CHECK(role == "master");
            auto const demoted = co_await s->demote(seen->run_id, std::nullopt, limit);
            REQUIRE(demoted.has_error());
            CHECK(demoted.error().effect == outcome::unknown);
            role = co_await info(one, "role");
            CHECK(role == "slave");
            at.close();
        },
        a);
}

}  // namespace
}  // namespace bevmesh::failover::redis
