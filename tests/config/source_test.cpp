#include "config/source.hpp"

#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {

TEST_CASE("a document over the limit is refused before it is looked at") {
    std::string const huge(50'000'000, '[');
    CHECK(problems_of(huge) ==
          lines{"f: larger than 1 MiB; expected a configuration of at most 1 MiB"});
    std::string const padded = head + std::string(longest_document - head.size(), ' ');
    CHECK(problems_of(padded).empty());
    CHECK(problems_of(padded + " ").size() == 1);
}

TEST_CASE("bytes that are not UTF-8 are told with their place, in characters") {
    CHECK(problems_of("a: \xc3\xa4 \xff\nb: \xc0\xaf\n") ==
          lines{"f:1:6: the byte 0xff is not UTF-8; expected text in UTF-8",
                "f:2:4: the byte 0xc0 is not UTF-8; expected text in UTF-8",
                "f:2:5: the byte 0xaf is not UTF-8; expected text in UTF-8"});
    // Overlong, a surrogate, beyond Unicode, cut off at the end.
    for (auto const* bad : {"\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
        CHECK_FALSE(check_source(bad).empty());
    CHECK(check_source("\xe2\x82\xac \xf0\x9f\x98\x80").empty());
}

TEST_CASE("control characters, NUL among them, are told with their place") {
    CHECK(problems_of(std::string("a: b\0c\n", 7)) == lines{"f:1:5: a NUL byte; expected text"});
    CHECK(problems_of("a: \x04\n") ==
          lines{"f:1:4: the control character U+0004; expected text (YAML allows no control "
                "characters but tab and line ends)"});
    CHECK_FALSE(check_source("\xc2\x9b").empty());
    CHECK_FALSE(check_source("\xef\xbf\xbf").empty());
}

TEST_CASE("UTF-16 is called by its name") {
    CHECK(problems_of("\xff\xfe"
                      "a") == lines{"f:1:1: text in UTF-16; expected text in UTF-8"});
}

TEST_CASE("a byte order mark and CRLF are taken, a carriage return alone is not") {
    CHECK(problems_of("\xef\xbb\xbf" + head).empty());
    CHECK(problems_of("mesh: {name: bev}\r\nnodes: {n1: {address: 10.0.0.1}}\r\n").empty());
    CHECK(
        problems_of("\xef\xbb\xbfmesh: {name: Bev}\r\nnodes: {n1: {address: 1}}\r\n") ==
        lines{"f:1:14: mesh.name: \"Bev\" is not valid; expected a DNS label (RFC 1123): a-z, 0-9 "
              "and -, at most 63, no - at either end",
              "f:2:23: nodes.n1.address: \"1\" is not valid; expected an IPv4 or IPv6 address "
              "that can be connected to"});
    CHECK(problems_of("a: b\rc: d\n") ==
          lines{"f:1:5: a carriage return that no line feed follows; expected lines that end in LF "
                "or CRLF"});
}

TEST_CASE("a tab in the indentation is told, one elsewhere is not") {
    CHECK(problems_of("mesh:\n\tname: bev\n  \tdomain: consul\n") ==
          lines{"f:2:1: a tab in the indentation; expected spaces",
                "f:3:3: a tab in the indentation; expected spaces"});
    CHECK(check_source("a:\tb\n\t# remark\n\t\n").empty());
}

TEST_CASE("the bytes' problems end where they fill a screen") {
    CHECK(check_source(std::string(1000, '\x01')).size() == 20);
}

}  // namespace bevmesh::config
