#include "registrar/ip_text.hpp"

#include "tests/catch.hpp"

using namespace bevmesh::registrar;
using namespace std::string_view_literals;

TEST_CASE("IPv6 stands in brackets before a port") {
    CHECK(host_port("10.0.0.1", 80) == "10.0.0.1:80");
    CHECK(host_port("2001:db8::1", 80) == "[2001:db8::1]:80");
    CHECK(host_port("[2001:db8::1]", 80) == "[2001:db8::1]:80");
    CHECK(host_port("db.example", 5432) == "db.example:5432");
}

TEST_CASE("loopback in all its spellings") {
    for (auto const* a :
         {"127.0.0.1", "127.9.8.7", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"}) {
        CAPTURE(a);
        CHECK(is_loopback(a));
    }
    for (auto const* a :
         {"", "0.0.0.0", "128.0.0.1", "::", "::2", "1270.0.0.1", "127.0.0.1.example"}) {
        CAPTURE(a);
        CHECK_FALSE(is_loopback(a));
    }
}

TEST_CASE("any address") {
    CHECK(is_wildcard(""));
    CHECK(is_wildcard("0.0.0.0"));
    CHECK(is_wildcard("::"));
    CHECK(is_wildcard("::ffff:0.0.0.0"));
    CHECK_FALSE(is_wildcard("10.0.0.1"));
    CHECK_FALSE(is_wildcard("nonsense"));
}

TEST_CASE("link-local addresses") {
    CHECK(is_link_local("169.254.1.1"));
    CHECK(is_link_local("fe80::1"));
    CHECK(is_link_local("fe80::1%eth0"));
    CHECK_FALSE(is_link_local("10.0.0.1"));
    CHECK_FALSE(is_link_local("fd00::1"));
}

TEST_CASE("what can be a host") {
    CHECK(is_host("10.0.0.1"));
    CHECK(is_host("2001:db8::1"));
    CHECK(is_host("db_1.example"));
    CHECK_FALSE(is_host(""));
    CHECK_FALSE(is_host("a b"));
    CHECK_FALSE(is_host("-x"));
    CHECK_FALSE(is_host("http://x"));
    CHECK_FALSE(is_host("10.0.0.1\0x"sv));
    CHECK_FALSE(is_host(std::string(1000, 'a')));
}
