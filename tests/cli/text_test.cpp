// Text of peers made fit for a terminal, and its width.
#include "mesh/cli/text.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using bevmesh::cli::cut;
using bevmesh::cli::display_width;
using bevmesh::cli::printable;
using bevmesh::cli::printable_json;

TEST_CASE("printable text stays as it is") {
    CHECK(printable("redis") == "redis");
    CHECK(printable("Zürich 東京 €") == "Zürich 東京 €");
    CHECK(printable("").empty());
}

TEST_CASE("what a terminal would obey shows as text") {
    CHECK(printable("\x1b[2J\x1b]0;owned\x07") == "\\x1b[2J\\x1b]0;owned\\x07");
    CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
    CHECK(printable("\x7f") == "\\x7f");
    CHECK(printable(std::string_view("\0x", 2)) == "\\x00x");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u009b31m");  // C1's CSI
    CHECK(printable("a\xe2\x80\xae"
                    "b") == "a\\u202eb");  // right-to-left override
    CHECK(printable("a\xe2\x80\x8b"
                    "b") == "a\\u200bb");  // zero width space
}

TEST_CASE("bytes that are not UTF-8 show as bytes") {
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");               // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");      // surrogate
    CHECK(printable("\xf4\x90\x80\x80").starts_with("\\xf4"));  // past U+10FFFF
    CHECK(printable("\xe2\x82") == "\\xe2\\x82");               // cut off
    CHECK(printable("\xe2\x82z") == "\\xe2\\x82z");
}

TEST_CASE("a JSON document keeps its meaning and loses its teeth") {
    nlohmann::json const value{{"k", "a\x7f\xc2\x9b\xe2\x80\xae\n\x1b€"}};
    auto const text = printable_json(value.dump(2));
    CHECK(nlohmann::json::parse(text) == value);
    CHECK(printable(text).find("\\x") == std::string::npos);
    CHECK(text.find('\n') != std::string::npos);
    CHECK(text.find("€") != std::string::npos);
}

TEST_CASE("width is counted in columns of a terminal") {
    CHECK(display_width("redis") == 5);
    CHECK(display_width("Zürich") == 6);
    CHECK(display_width("東京") == 4);
    CHECK(display_width("e\xcc\x81") == 1);
    CHECK(display_width("\xf0\x9f\x98\x80") == 2);
}

TEST_CASE("cutting never splits a character") {
    CHECK(cut("redis", 5) == "redis");
    CHECK(cut("redis", 4) == "red…");
    CHECK(cut("東京都", 5) == "東京…");
    CHECK(cut("東京都", 4) == "東…");
    CHECK(cut("redis", 0).empty());
}
