#include "config/format.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace bevmesh::config {
namespace {

struct examples {
    format const* of;
    std::vector<std::string> good;
    std::vector<std::string> bad;
};

}  // namespace

TEST_CASE("each format takes its own and nothing near it") {
    using namespace formats;
    std::string const long_label(63, 'a');
    std::vector<examples> const table{
        {&label,
         {"a", "redis-2", "9", long_label},
         {"", "-a", "a-", "A", "a_b", "a.b", long_label + "a"}},
        {&domain, {"consul", "mesh.example"}, {"", ".", "a..b", "a.", "-a", std::string(254, 'a')}},
        {&datacenter, {"bev", "dc_1-a"}, {"", "DC", "a b", std::string(65, 'a')}},
        {&absolute_path, {"/", "/etc/x y"}, {"", "etc/x", "/a\nb"}},
        {&socket_path, {"/run/api.sock"}, {"run", "/" + std::string(107, 'a')}},
        {&ip_address,
         {"10.0.0.1", "127.0.0.1", "::1", "fd00::1"},
         {"", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1", "10.0.0", "10.0.0.256",
          "010.0.0.1", "10.0.0.1/8", "[::1]", "fe80::1%eth0", "localhost"}},
        {&host, {"10.0.0.1", "fd00::1", "db.example"}, {"", "10.0.0.256", "10.0.0", "a b", "A"}},
        {&subnet,
         {"172.30.0.0/16", "0.0.0.0/0", "10.0.0.1/32", "fd00::/8"},
         {"172.30.0.1/16", "172.30.0.0", "172.30.0.0/33", "172.30.0.0/", "172.30.0.0/016",
          "fd00::1/64"}},
        {&dns_endpoint,
         {"127.0.0.1:8600", "[::1]:53"},
         {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:53", "localhost:53", ":53"}},
        {&consul_address,
         {"127.0.0.1:8500", "consul:8500", "http://[::1]:8500", "https://consul.example:8501",
          "unix:///run/consul.sock"},
         {"127.0.0.1", "ftp://a:1", "http://a", "http://a:1/x", "unix://run/x", "8500", "[a]:1"}},
        {&docker_address,
         {"unix:///run/docker.sock", "tcp://10.0.0.1:2375"},
         {"/run/docker.sock", "tcp://a"}},
        {&container_name, {"ab", "a_b.c-1"}, {"", "a", "_ab", "/redis", "a b"}},
        {&network_name, {"a", "bev_network"}, {"", "_a", "a b"}},
        {&compose_name, {"web", "shop/web"}, {"", "/", "a/", "/a", "a/b/c"}},
        {&label_match, {"a", "com.example.x=", "a=b=c"}, {"", "=a"}},
        {&image_match, {"redis", "registry:5000/a/redis:7"}, {"", "a b"}},
        {&url_path, {"/", "/health?x=1"}, {"", "health", "/a b", "/a\r\nHost: b"}},
        {&method, {"GET"}, {"", "get", "GET /"}},
        {&header_name, {"X-A"}, {"", "X A", "X:A"}},
        {&header_value, {"", "a b"}, {"a\nb"}},
        {&meta_key,
         {"version", "A_b-9"},
         {"", "a b", "a.b", "consul-x", "bevmesh-x", "external-source", std::string(129, 'a')}},
        {&meta_value, {"", std::string(512, 'x')}, {std::string(513, 'x'), "a\nb"}},
        {&tag, {"primary"}, {"", "a\tb"}},
        {&user_name, {"bevmesh", "_a"}, {"", "9a", "a b", std::string(33, 'a')}},
    };
    for (auto const& [of, good, bad] : table) {
        CAPTURE(of->expected);
        for (auto const& text : good) {
            CAPTURE(text);
            CHECK(of->accepts(text));
        }
        for (auto const& text : bad) {
            CAPTURE(text);
            CHECK_FALSE(of->accepts(text));
        }
    }
}

TEST_CASE("a duration is whole numbers with units, from the largest to the smallest") {
    CHECK(parse_duration("500ms") == milliseconds(500));
    CHECK(parse_duration("0s") == milliseconds(0));
    CHECK(parse_duration("1m30s") == milliseconds(90'000));
    CHECK(parse_duration("1h1ms") == milliseconds(3'600'001));
    for (auto const* bad : {"", "30", "s", "1.5s", "-1s", "30s1m", "1s1s", "1 s", "1d", "1S", "01s",
                            "99999999999999999999h", "9999999999h", "1m30"})
        CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("a duration is shown as it can be read again") {
    for (auto const count : {0, 1, 999, 1'000, 60'000, 90'500, 3'600'000, 86'400'000}) {
        milliseconds const d(count);
        CHECK(parse_duration(format_duration(d)) == d);
    }
    CHECK(format_duration(milliseconds(90'500)) == "1m30s500ms");
}

TEST_CASE("a number has digits alone") {
    CHECK(parse_unsigned("0") == 0U);
    CHECK(parse_unsigned("65535") == 65535U);
    for (auto const* bad :
         {"", "+1", "-1", " 1", "1 ", "010", "0x10", "1e3", "1_000", "99999999999999999999"})
        CHECK_FALSE(parse_unsigned(bad));
}

TEST_CASE("a range contains what has its prefix, of either family") {
    auto const contains = [](char const* outer, char const* inner) {
        return parse_range(outer)->contains(*parse_range(inner));
    };
    CHECK(contains("172.30.0.0/16", "172.30.7.0/24"));
    CHECK(contains("172.30.0.0/16", "172.30.255.255"));
    CHECK_FALSE(contains("172.30.0.0/16", "172.31.0.0/16"));
    CHECK_FALSE(contains("172.30.7.0/24", "172.30.0.0/16"));
    CHECK(contains("fd00::/8", "fdff::1"));
    CHECK_FALSE(contains("fd00::/8", "10.0.0.1"));
    CHECK_FALSE(parse_range(std::string("10.0.0.1\0x", 10)));
}

}  // namespace bevmesh::config
