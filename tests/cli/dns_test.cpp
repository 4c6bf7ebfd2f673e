// The resolver against a server on loopback: records, failures, EDNS, TCP and the deadline.
#include "mesh/net/dns.hpp"

#include <chrono>

#include "tests/catch.hpp"
#include "tests/cli/fake_dns.hpp"

using namespace bevmesh;
using net::dns_type;
using testing::fake_dns;

namespace {

std::vector<net::dns_answer> ask(fake_dns const& server,
                                 std::vector<net::dns_question> const& questions,
                                 milliseconds timeout = milliseconds(5'000)) {
    auto const resolver = net::make_dns_resolver(server.address(), timeout);
    return resolver.value()->ask(questions);
}

errc code(fake_dns const& server, std::string const& name,
          milliseconds timeout = milliseconds(5'000)) {
    return ask(server, {{name, dns_type::a}}, timeout).front().error().code;
}

}  // namespace

TEST_CASE("records of each type come back, in the order of the questions") {
    fake_dns server;
    server.add_a("r.service.consul", "10.0.0.1");
    server.add_a("r.service.consul", "10.0.0.2");
    server.add_aaaa("r.service.consul", "fd00::1");
    server.add_srv("r.service.consul", 6379, "0a000001.addr.bev.consul");
    auto const answers = ask(server, {{"r.service.consul", dns_type::srv},
                                      {"r.service.consul", dns_type::a},
                                      {"r.service.consul", dns_type::aaaa}});
    REQUIRE(answers.size() == 3);
    REQUIRE(answers[0].value().size() == 1);
    CHECK(answers[0]->front().target == "0a000001.addr.bev.consul");
    CHECK(answers[0]->front().port == 6379);
    REQUIRE(answers[1].value().size() == 2);
    CHECK(answers[1]->front().address == "10.0.0.1");
    REQUIRE(answers[2].value().size() == 1);
    CHECK(answers[2]->front().address == "fd00::1");
    CHECK(server.saw_edns());
}

TEST_CASE("a name without records of the type is empty, a name that is none is not found") {
    fake_dns server;
    server.add_a("r.service.consul", "10.0.0.1");
    CHECK(ask(server, {{"r.service.consul", dns_type::aaaa}}).front().value().empty());
    CHECK(code(server, "other.service.consul") == errc::not_found);
}

TEST_CASE("a server's failures are told apart") {
    fake_dns server;
    server.fail("broken", 2);
    server.fail("refused", 5);
    CHECK(code(server, "broken") == errc::remote_error);
    CHECK(code(server, "refused") == errc::remote_error);
    CHECK(ask(server, {{"refused", dns_type::a}}).front().error().doing ==
          "DNS A refused at " + server.address() + ": the server refuses (REFUSED)");
}

TEST_CASE("an answer that was cut is fetched over TCP") {
    fake_dns server;
    server.add_a("r.service.consul", "10.0.0.1");
    server.cut_udp();
    CHECK(ask(server, {{"r.service.consul", dns_type::a}}).front().value().size() == 1);
}

TEST_CASE("hundreds of records fit one answer") {
    fake_dns server;
    for (int i = 0; i < 200; ++i)
        server.add_a("r.service.consul", "10.0.0." + std::to_string(i));
    CHECK(ask(server, {{"r.service.consul", dns_type::a}}).front().value().size() == 200);
}

TEST_CASE("silence ends at the deadline, for all questions together") {
    fake_dns server;
    server.fall_silent();
    auto const start = std::chrono::steady_clock::now();
    auto const answers = ask(server, {{"a", dns_type::a}, {"b", dns_type::a}, {"c", dns_type::srv}},
                             milliseconds(300));
    auto const took = std::chrono::steady_clock::now() - start;
    for (auto const& answer : answers)
        CHECK(answer.error().code == errc::timed_out);
    CHECK(took >= milliseconds(250));
    CHECK(took < seconds(3));
}

TEST_CASE("nobody listening is not silence") {
    std::string nobody;
    {
        fake_dns const server;
        nobody = server.address();
    }
    auto const resolver = net::make_dns_resolver(nobody, milliseconds(3'000));
    auto const question = std::vector<net::dns_question>{{"a", dns_type::a}};
    CHECK(resolver.value()->ask(question).front().error().code == errc::unreachable);
}

TEST_CASE("servers are addresses, with or without a port") {
    auto const servers = [](std::string const& text) {
        return net::make_dns_resolver(text, milliseconds(1'000)).value()->servers();
    };
    CHECK(servers("127.0.0.1:8600") == std::vector<std::string>{"127.0.0.1:8600"});
    CHECK(servers("127.0.0.1") == std::vector<std::string>{"127.0.0.1:53"});
    CHECK(servers("::1") == std::vector<std::string>{"[::1]:53"});
    CHECK(servers("[::1]:8600") == std::vector<std::string>{"[::1]:8600"});
    CHECK(!servers("").empty());
    for (auto const* wrong :
         {"consul", "127.0.0.1:0", "127.0.0.1:x", "unix:///x", "https://1.1.1.1"})
        CHECK(net::make_dns_resolver(wrong, milliseconds(1'000)).error().code == errc::bad_input);
}
