#include "registrar/names.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh::registrar;

TEST_CASE("the default name is the last part of the image") {
    CHECK(image_base("redis") == "redis");
    CHECK(image_base("redis:7-alpine") == "redis");
    CHECK(image_base("registry.example:5000/team/app:1.2") == "app");
    CHECK(image_base("registry.example:5000/team/app") == "app");
    CHECK(image_base("My_App:1") == "My_App");
}

TEST_CASE("a digest is no part of the name, and an image ID is none") {
    CHECK(image_base("example/foo@sha256:0123abcd") == "foo");
    CHECK(image_base("registry.example:5000/foo:1@sha256:0123") == "foo");
    CHECK(image_base("sha256:0123abcd").empty());
    CHECK(image_base("").empty());
    CHECK(image_base("///").empty());
}

TEST_CASE("names are made into DNS labels") {
    CHECK(to_dns_label("Web_App.v2") == "web-app-v2");
    CHECK(to_dns_label("__a__b__") == "a-b");
    CHECK(to_dns_label("caf\xc3\xa9") == "caf");
    CHECK(to_dns_label("_.-").empty());
    CHECK(to_dns_label(std::string(100, 'x')).size() == 63);
    CHECK(to_dns_label(std::string(62, 'x') + "_y") == std::string(62, 'x'));
}

TEST_CASE("DNS labels") {
    CHECK(is_dns_label("Redis-7"));
    CHECK_FALSE(is_dns_label("redis_7"));
    CHECK_FALSE(is_dns_label("-a"));
    CHECK_FALSE(is_dns_label("a-"));
    CHECK_FALSE(is_dns_label(""));
    CHECK_FALSE(is_dns_label(std::string(64, 'a')));
}

TEST_CASE("service IDs are registrator's") {
    auto c = bevmesh::test::container("web-1");
    CHECK(service_id("host", c, {80, "tcp"}) == "host:web-1:80");
    CHECK(service_id("host", c, {53, "udp"}) == "host:web-1:53:udp");
    c.name.clear();
    CHECK(service_id("host", c, {80, "tcp"}) == "host:aaaaaaaaaaaa:80");
}
