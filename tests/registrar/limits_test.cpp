#include "registrar/limits.hpp"

#include "tests/catch.hpp"
#include "tests/registrar/fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

consul::service_definition kept(consul::service_definition s, std::vector<note>& notes) {
    s.name = "web";
    keep_to_limits(s, "web-1", notes);
    return s;
}

}  // namespace

TEST_CASE("meta that Consul would refuse is left out with a note, the rest stays") {
    std::vector<note> notes;
    consul::service_definition s;
    s.meta = {{"good_key-1", "v"},
              {"empty-value", ""},
              {"", "x"},
              {"bad key", "x"},
              {std::string(129, 'k'), "x"},
              {"long", std::string(513, 'v')},
              {"consul-x", "x"},
              {"latin1", "\xe9"}};
    auto const result = kept(s, notes);
    CHECK(result.meta ==
          std::map<std::string, std::string>{{"empty-value", ""}, {"good_key-1", "v"}});
    CHECK(notes.size() == 6);
    CHECK(notes[0].text.find("web-1") != std::string::npos);
}

TEST_CASE("the limits themselves are allowed") {
    std::vector<note> notes;
    consul::service_definition s;
    s.meta = {{std::string(128, 'k'), std::string(512, 'v')}};
    CHECK(kept(s, notes).meta.size() == 1);
    CHECK(notes.empty());
}

TEST_CASE("nobody can set our marks of ownership") {
    std::vector<note> notes;
    consul::service_definition s;
    s.meta = {{"external-source", "nomad"}, {"bevmesh-instance", "other"}};
    CHECK(kept(s, notes).meta.empty());
    CHECK(test::has_note(notes, "meta-dropped"));
}

TEST_CASE("too many pairs: the first by name stay, one note says how many do not") {
    std::vector<note> notes;
    consul::service_definition s;
    for (int i = 0; i < 100; ++i)
        s.meta["k" + std::to_string(100 + i)] = "v";
    auto const result = kept(s, notes);
    CHECK(result.meta.size() == most_meta_pairs);
    CHECK(result.meta.contains("k100"));
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].text.find("44 further meta") != std::string::npos);
}

TEST_CASE("tags: once each, no empty ones, no control characters") {
    std::vector<note> notes;
    consul::service_definition s;
    s.tags = {"b", "a", "b", "", "x\ny", std::string(5000, 't')};
    CHECK(kept(s, notes).tags == std::vector<std::string>{"b", "a"});
    CHECK(notes.size() == 3);
}

TEST_CASE("UTF-8") {
    CHECK(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
    for (auto const* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xff"})
        CHECK_FALSE(is_utf8(bad));
    CHECK_FALSE(is_plain_text("a\x7f"));
    CHECK(is_plain_text("a b"));
}

TEST_CASE("what a user wrote is shown short and harmless") {
    CHECK(excerpt("a\x1b[31mb\xc3\xa9") == "a?[31mb??");
    CHECK(excerpt(std::string(1000, 'x')) == std::string(40, 'x') + "...");
}
