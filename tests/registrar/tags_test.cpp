#include "registrar/tags.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh::registrar;
using tags = std::vector<std::string>;

TEST_CASE("registrator's lists of tags") {
    CHECK(split_tags("a,b") == tags{"a", "b"});
    CHECK(split_tags(R"(a\,b,c)") == tags{"a,b", "c"});
    CHECK(split_tags(",,a,,b,") == tags{"a", "b"});
    CHECK(split_tags("") == tags{});
    CHECK(split_tags(",") == tags{});
    CHECK(split_tags(" a , b ") == tags{" a ", " b "});
    CHECK(split_tags(R"(a\b,c\)") == tags{R"(a\b)", R"(c\)"});
    CHECK(split_tags(R"(\,)") == tags{","});
    CHECK(split_tags(R"(rule=Host(`a`\,`b`))") == tags{"rule=Host(`a`,`b`)"});
}

TEST_CASE("fields of the container in tags") {
    auto c = bevmesh::test::container("web-1");
    c.labels["zone"] = "a";
    CHECK(expand_template("plain", c) == "plain");
    CHECK(expand_template("h-{{.Config.Hostname}},x", c) == "h-0123456789ab,x");
    CHECK(expand_template("{{ .Name }}{{.Config.Image}}", c) == "/web-1example/app:1");
    CHECK(expand_template(R"({{index .Config.Labels "zone"}})", c) == "a");
    CHECK(expand_template(R"({{index .Config.Labels "none"}})", c) == "");
}

TEST_CASE("functions in tags are refused, above all those that fetch") {
    auto const c = bevmesh::test::container("web-1");
    for (auto const* text : {R"({{httpGet "http://169.254.169.254/"}})", "{{.Env}}", "{{", "{{}}",
                             "{{.Config.Hostname", R"({{index .Config.Labels zone}})",
                             R"({{index .Config.Labels "}})"}) {
        CAPTURE(text);
        CHECK_FALSE(expand_template(text, c));
    }
}
